"""Entries get a place in the chain and indexes for the pages; and the table of who listened to whom.

SQLite builds the table of entries anew for that, without its triggers, and what follows changes every entry: the next
migration makes the triggers again.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# On SQLite they go with the table; here, so that a run that is broken off and begun again finds the same.
DOWN = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS audit_entry_append_only",
        "DROP TRIGGER IF EXISTS audit_entry_no_delete",
        "DROP TRIGGER IF EXISTS audit_entry_no_replace",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_entry_append_only ON audit_entry",
        "DROP TRIGGER IF EXISTS audit_entry_no_truncate ON audit_entry",
    ],
}


def down(apps, schema_editor):
    for statement in DOWN[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_no_delete"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(down, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Listening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("command", models.CharField(max_length=32, unique=True)),
                ("begun", models.BigIntegerField(unique=True)),
                ("pbx", models.CharField(max_length=32)),
                ("user_name", models.CharField(blank=True, max_length=150)),
                ("phone", models.CharField(max_length=200)),
                ("target", models.CharField(max_length=80)),
                ("target_name", models.CharField(blank=True, max_length=200)),
                ("others", models.CharField(blank=True, max_length=500)),
                ("others_masked", models.CharField(blank=True, max_length=500)),
                ("call", models.CharField(blank=True, max_length=200)),
                ("mode", models.CharField(max_length=8)),
                ("switches", models.CharField(blank=True, max_length=200)),
                ("keys", models.BooleanField(default=False)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("page", "page"),
                            ("api", "API"),
                            ("shell", "command line"),
                            ("desk", "desk phone"),
                            ("panel", "panel"),
                        ],
                        max_length=8,
                    ),
                ),
                ("action", models.CharField(blank=True, max_length=32)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(blank=True, null=True)),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stopped", "stopped"),
                            ("target", "the call ended"),
                            ("leg", "hung up"),
                            ("scope", "out of scope"),
                            ("lost", "link lost"),
                            ("unknown", "not known"),
                        ],
                        max_length=8,
                    ),
                ),
                ("told", models.CharField(blank=True, max_length=16)),
                ("reason", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["-begun"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="entry",
            name="before",
            field=models.BinaryField(default=b"", max_length=32),
        ),
        migrations.AddField(
            model_name="entry",
            name="mac",
            field=models.BinaryField(default=b"", max_length=32),
        ),
        migrations.AlterField(
            model_name="entry",
            name="at",
            field=models.DateTimeField(db_index=True, default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("intent", "action"),
                    ("outcome", "outcome"),
                    ("denied", "denied"),
                    ("changed", "settings"),
                    ("sign", "sign-in"),
                    ("listen", "monitoring"),
                    ("keeping", "the audit itself"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="source",
            field=models.CharField(
                choices=[
                    ("page", "page"),
                    ("api", "API"),
                    ("shell", "command line"),
                    ("desk", "desk phone"),
                    ("panel", "panel"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["user", "-id"], name="audit_user"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["kind", "-id"], name="audit_kind"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["verb", "-id"], name="audit_verb"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["pbx", "-id"], name="audit_pbx"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("target_key", ""), _negated=True),
                fields=["target_key", "-id"],
                name="audit_target",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("code", ""), _negated=True), fields=["code", "-id"], name="audit_code"
            ),
        ),
        migrations.AddField(
            model_name="listening",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="listening",
            index=models.Index(fields=["user", "-begun"], name="listening_user"),
        ),
        migrations.AddIndex(
            model_name="listening",
            index=models.Index(fields=["target", "-begun"], name="listening_target"),
        ),
        migrations.AddIndex(
            model_name="listening",
            index=models.Index(fields=["pbx", "-begun"], name="listening_pbx"),
        ),
        migrations.AddIndex(
            model_name="listening",
            index=models.Index(fields=["since"], name="listening_since"),
        ),
        migrations.AddIndex(
            model_name="listening",
            index=models.Index(condition=models.Q(("why", "")), fields=["pbx"], name="listening_open"),
        ),
    ]
