"""Codes and rate limits live in the database cache; its table comes with the others."""

from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("members", "0001_create_members")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
