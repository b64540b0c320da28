"""What is there already gets its place in the chain, and the triggers come back.

The entries of before were protected by triggers alone: an entry `audit.adopted` after them says how many they are.

A delete is let through in one place: while an `audit.purge` without an outcome is the last entry, for entries up to the
number that it names. `audit.retention` writes it, removes, and writes its outcome, all in one transaction.
"""

from django.db import migrations
from django.utils import timezone

from audit import chain

CHANGED = """
    CREATE TRIGGER audit_entry_append_only BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END
"""
# INSERT OR REPLACE removes rows without a DELETE that a trigger would see.
REPLACED = """
    CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry
    WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)
      OR (NEW.kind = 'intent' AND EXISTS (SELECT 1 FROM audit_entry WHERE command = NEW.command AND kind = 'intent'))
    BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END
"""
PURGING = """
    EXISTS (
      SELECT 1 FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry)
      AND verb = 'audit.purge' AND outcome = '' AND OLD.id <= CAST(target_key AS BIGINT)
    )
"""
FUNCTION = f"""
    CREATE OR REPLACE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
      IF TG_OP = 'DELETE' THEN
        IF {PURGING} THEN RETURN OLD; END IF;
      END IF;
      RAISE EXCEPTION 'audit entries are only ever added' USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
UNCHANGED = """
    CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_append_only()
"""
# What stands in the way of the tests' flush: tests/conftest.py takes it away, tests/audit/test_append_only.py proves it.
FLUSH = {
    "sqlite": f"""
        CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry WHEN NOT {PURGING}
        BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END
        """,
    "postgresql": """
        CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_append_only()
        """,
}
UP = {
    "sqlite": [CHANGED, REPLACED, FLUSH["sqlite"]],
    "postgresql": [FUNCTION, UNCHANGED, FLUSH["postgresql"]],
}
ADOPTED = 5_000  # entries at a time


def adopt(apps, schema_editor):
    Entry = apps.get_model("audit", "Entry")
    entries = Entry.objects.using(schema_editor.connection.alias).order_by("id")
    if not entries.exists():
        return
    secret, last, count, changed = chain.key(), chain.START, 0, []

    def write():
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany("UPDATE audit_entry SET before = %s, mac = %s WHERE id = %s", changed)
        changed.clear()

    number = 0
    while batch := list(entries.filter(id__gt=number).values_list(*chain.FIELDS)[:ADOPTED]):
        for values in batch:
            number, before = values[0], last
            last = chain.mac(secret, before, values)
            changed.append((before, last, number))
        count += len(batch)
        write()
    said = Entry(
        id=number + 1,
        at=timezone.now(),
        kind="keeping",
        command=f"{number:032x}",
        user_name="migrate",
        source="shell",
        verb="audit.adopted",
        args={"entries": count, "last": number},
        before=last,
    )
    said.mac = chain.mac(secret, last, [getattr(said, name) for name in chain.FIELDS])
    said.save(force_insert=True, using=schema_editor.connection.alias)


def triggers(apps, schema_editor):
    for statement in UP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes no trigger on a table while rows that this transaction added are to be checked
    dependencies = [("audit", "0004_chain")]
    operations = [
        migrations.RunPython(adopt, migrations.RunPython.noop, atomic=True),
        migrations.RunPython(triggers, migrations.RunPython.noop, atomic=True),
    ]
