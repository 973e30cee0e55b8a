"""Whatever writes participations, one by one or in bulk, `places_taken` follows in the same statement."""

from django.db import migrations

KEEP = """
CREATE FUNCTION meetings_keep_places_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE meetings_meeting AS meeting SET places_taken = places_taken + change.places
        FROM (SELECT meeting_id, count(*) AS places FROM written
              WHERE rsvp IN ('going', 'offered') GROUP BY meeting_id) AS change
        WHERE meeting.id = change.meeting_id;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE meetings_meeting AS meeting SET places_taken = places_taken - change.places
        FROM (SELECT meeting_id, count(*) AS places FROM gone
              WHERE rsvp IN ('going', 'offered') GROUP BY meeting_id) AS change
        WHERE meeting.id = change.meeting_id;
    ELSE
        UPDATE meetings_meeting AS meeting SET places_taken = places_taken + change.places
        FROM (SELECT meeting_id, sum(places) AS places
              FROM (SELECT meeting_id, 1 AS places FROM written WHERE rsvp IN ('going', 'offered')
                    UNION ALL
                    SELECT meeting_id, -1 FROM gone WHERE rsvp IN ('going', 'offered')) AS sides
              GROUP BY meeting_id HAVING sum(places) <> 0) AS change
        WHERE meeting.id = change.meeting_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER participation_inserted AFTER INSERT ON meetings_participation
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION meetings_keep_places_taken();
CREATE TRIGGER participation_updated AFTER UPDATE ON meetings_participation
    REFERENCING OLD TABLE AS gone NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION meetings_keep_places_taken();
CREATE TRIGGER participation_deleted AFTER DELETE ON meetings_participation
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION meetings_keep_places_taken();
"""

LEAVE = """
DROP TRIGGER participation_inserted ON meetings_participation;
DROP TRIGGER participation_updated ON meetings_participation;
DROP TRIGGER participation_deleted ON meetings_participation;
DROP FUNCTION meetings_keep_places_taken;
"""


class Migration(migrations.Migration):
    dependencies = [("meetings", "0001_create_meetings")]
    operations = [migrations.RunSQL(KEEP, LEAVE)]
