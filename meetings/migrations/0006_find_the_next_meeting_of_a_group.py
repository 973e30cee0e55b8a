"""The next meeting of each of a few groups is read by itself, without one more to see that it is the first."""

from django.db import migrations

INDEX = """
CREATE INDEX meeting_found_group ON meetings_meeting (group_id, starts_at, id)
    WHERE is_listed AND status = 'scheduled';
"""


class Migration(migrations.Migration):
    dependencies = [("meetings", "0005_find_meetings_by_facts")]
    operations = [migrations.RunSQL(INDEX, "DROP INDEX meeting_found_group")]
