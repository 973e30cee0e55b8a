"""What people look for stands on the meeting itself, so that each filter of the list walks an index in order of time.

These columns are the database's own, kept by triggers whatever writes groups and meetings. No model fetches or writes
them: `meetings/find.py` asks. No index has `places_taken` in it: taking a place then rewrites no index.

A sequence counts the changes of what the list shows. It is no row that somebody could wait for, so answers to one
meeting stay as quick as they were; it may count a change that is then rolled back, which costs nothing.
"""

from django.db import migrations

COLUMNS = """
ALTER TABLE meetings_meeting
    ADD COLUMN kind text NOT NULL DEFAULT '',
    ADD COLUMN audience text NOT NULL DEFAULT '',
    ADD COLUMN language text NOT NULL DEFAULT '',
    ADD COLUMN is_accessible boolean NOT NULL DEFAULT false,
    ADD COLUMN is_listed boolean NOT NULL DEFAULT false,
    ADD COLUMN weekday smallint GENERATED ALWAYS AS (extract(isodow FROM local_date)::smallint - 1) STORED,
    ADD COLUMN time_of_day text GENERATED ALWAYS AS (
        CASE WHEN local_time < '05:00' THEN 'night'
             WHEN local_time < '12:00' THEN 'morning'
             WHEN local_time < '17:00' THEN 'afternoon'
             WHEN local_time < '21:00' THEN 'evening'
             ELSE 'night' END
    ) STORED;

UPDATE meetings_meeting AS meeting
SET (kind, audience, language, is_accessible, is_listed) = (
    SELECT kind, audience, language, is_wheelchair_accessible, is_listed FROM groups_group WHERE id = meeting.group_id
);
"""

# A new meeting waits for a group that is being changed, so that neither misses the other.
COPIES = """
CREATE FUNCTION meetings_take_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT kind, audience, language, is_wheelchair_accessible, is_listed
    INTO NEW.kind, NEW.audience, NEW.language, NEW.is_accessible, NEW.is_listed
    FROM groups_group WHERE id = NEW.group_id FOR SHARE;
    RETURN NEW;
END $$;

CREATE TRIGGER new_meeting_takes_facts BEFORE INSERT ON meetings_meeting
    FOR EACH ROW EXECUTE FUNCTION meetings_take_facts();
CREATE TRIGGER moved_meeting_takes_facts BEFORE UPDATE OF group_id ON meetings_meeting
    FOR EACH ROW WHEN (OLD.group_id <> NEW.group_id) EXECUTE FUNCTION meetings_take_facts();

CREATE FUNCTION meetings_follow_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM meetings_meeting WHERE group_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
    UPDATE meetings_meeting
    SET kind = NEW.kind, audience = NEW.audience, language = NEW.language,
        is_accessible = NEW.is_wheelchair_accessible, is_listed = NEW.is_listed
    WHERE group_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER group_tells_meetings
    AFTER UPDATE OF kind, audience, language, is_wheelchair_accessible, is_listed ON groups_group
    FOR EACH ROW WHEN (
        (OLD.kind, OLD.audience, OLD.language, OLD.is_wheelchair_accessible, OLD.is_listed)
        IS DISTINCT FROM (NEW.kind, NEW.audience, NEW.language, NEW.is_wheelchair_accessible, NEW.is_listed)
    )
    EXECUTE FUNCTION meetings_follow_facts();
"""

CHANGES = """
CREATE SEQUENCE meetings_list_changes;
SELECT nextval('meetings_list_changes');

CREATE FUNCTION meetings_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('meetings_list_changes');
    RETURN NULL;
END $$;

CREATE TRIGGER list_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON meetings_meeting
    FOR EACH STATEMENT EXECUTE FUNCTION meetings_count_change();
CREATE TRIGGER list_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON meetings_meetingseries
    FOR EACH STATEMENT EXECUTE FUNCTION meetings_count_change();
CREATE TRIGGER list_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON groups_group
    FOR EACH STATEMENT EXECUTE FUNCTION meetings_count_change();
"""

INDEXES = """
CREATE INDEX meeting_found ON meetings_meeting (starts_at, id) WHERE is_listed AND status = 'scheduled';
CREATE INDEX meeting_found_day ON meetings_meeting (weekday, starts_at, id) WHERE is_listed AND status = 'scheduled';
CREATE INDEX meeting_found_time ON meetings_meeting (time_of_day, starts_at, id)
    WHERE is_listed AND status = 'scheduled';
CREATE INDEX meeting_found_kind ON meetings_meeting (kind, starts_at, id) WHERE is_listed AND status = 'scheduled';
CREATE INDEX meeting_found_for ON meetings_meeting (audience, starts_at, id) WHERE is_listed AND status = 'scheduled';
CREATE INDEX meeting_found_language ON meetings_meeting (language, starts_at, id)
    WHERE is_listed AND status = 'scheduled';
CREATE INDEX meeting_found_online ON meetings_meeting (starts_at, id)
    WHERE is_listed AND status = 'scheduled' AND mode <> 'in-person';
CREATE INDEX meeting_found_in_person ON meetings_meeting (starts_at, id)
    WHERE is_listed AND status = 'scheduled' AND mode <> 'online';
CREATE INDEX meeting_found_access ON meetings_meeting (starts_at, id)
    WHERE is_listed AND status = 'scheduled' AND is_accessible;
CREATE INDEX meeting_on_now ON meetings_meeting (starts_at) WHERE is_listed AND status IN ('scheduled', 'held');
"""

UNDO_COLUMNS = """
ALTER TABLE meetings_meeting
    DROP COLUMN kind, DROP COLUMN audience, DROP COLUMN language, DROP COLUMN is_accessible, DROP COLUMN is_listed,
    DROP COLUMN weekday, DROP COLUMN time_of_day;
"""
UNDO_COPIES = """
DROP TRIGGER group_tells_meetings ON groups_group;
DROP TRIGGER moved_meeting_takes_facts ON meetings_meeting;
DROP TRIGGER new_meeting_takes_facts ON meetings_meeting;
DROP FUNCTION meetings_follow_facts;
DROP FUNCTION meetings_take_facts;
"""
UNDO_CHANGES = """
DROP TRIGGER list_changed ON groups_group;
DROP TRIGGER list_changed ON meetings_meetingseries;
DROP TRIGGER list_changed ON meetings_meeting;
DROP FUNCTION meetings_count_change;
DROP SEQUENCE meetings_list_changes;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("meetings", "0004_note_when_a_meeting_changed"),
        ("groups", "0007_search_groups_by_their_words"),
    ]
    operations = [
        migrations.RunSQL(COLUMNS, UNDO_COLUMNS),
        migrations.RunSQL(COPIES, UNDO_COPIES),
        migrations.RunSQL(CHANGES, UNDO_CHANGES),
        migrations.RunSQL(INDEXES, migrations.RunSQL.noop),  # they go with their columns
    ]
