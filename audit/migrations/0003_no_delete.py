"""The database refuses to remove or replace an entry too, not only to change one.

On SQLite `INSERT OR REPLACE` removes rows without a DELETE that a trigger would see: an insert that meets an entry with
its number, or the intent of its command, is refused before. On PostgreSQL TRUNCATE passes triggers for rows.

Django's tests empty tables with what is refused here: tests/conftest.py takes `FLUSH` away, in the tests' database.
A later migration that changes this table makes SQLite build it anew, without its triggers: it must make them again.
"""

from django.db import migrations

# What stands in the way of the tests' flush.
FLUSH = {
    "sqlite": """
        CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
        BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END
        """,
    "postgresql": """
        CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_append_only()
        """,
}
FLUSH_DOWN = {
    "sqlite": "DROP TRIGGER audit_entry_no_delete",
    "postgresql": "DROP TRIGGER audit_entry_no_truncate ON audit_entry",
}
REPLACE = """
    CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry
    WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)
      OR (NEW.kind = 'intent' AND EXISTS (SELECT 1 FROM audit_entry WHERE command = NEW.command AND kind = 'intent'))
    BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END
    """


def up(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    schema_editor.execute(FLUSH[vendor])
    if vendor == "sqlite":
        schema_editor.execute(REPLACE)


def down(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    schema_editor.execute(FLUSH_DOWN[vendor])
    if vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER audit_entry_no_replace")


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [migrations.RunPython(up, down)]
