"""The tables of the audit log, and the triggers that make it append-only."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

_REFUSAL = "the audit log is append-only"


def guard(apps: Any, schema_editor: Any) -> None:
    """Make the first head, and let the database refuse changes of entries."""
    apps.get_model("audit_log", "Head").objects.create()
    if schema_editor.connection.vendor == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER audit_log_no_{deed.lower()} BEFORE {deed} ON audit_log_entry "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
    else:
        schema_editor.execute(
            "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log_entry "
            "FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()"
        )
        schema_editor.execute(
            "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log_entry "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()"
        )


class Migration(migrations.Migration):
    """The first tables."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("when", models.CharField(max_length=32)),
                ("who", models.CharField(max_length=64)),
                ("action", models.CharField(max_length=64)),
                ("what", models.CharField(blank=True, max_length=255)),
                ("detail", models.JSONField(default=dict)),
                ("previous", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
            ],
            options={"ordering": ("-number",)},
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(default=0)),
                ("digest", models.CharField(default="0" * 64, max_length=64)),
            ],
        ),
        migrations.RunPython(guard, migrations.RunPython.noop),
    ]
