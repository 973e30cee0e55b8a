"""No two groups hold one room, one meeting link or one lead at the same time: the database refuses it.

What a date holds stands on the meeting in columns of the database's own, kept by triggers whatever writes it, as the
facts of migration 0005 do. A group never conflicts with itself, so its dates can be moved past one another.

- A room is held by dates that meet in person, if the group (or the date) names one of the house's rooms.
- A link is held by dates that meet online, of groups made here: meeting feeds name shared links on purpose.
- The lead is the substitute of that date, else the group's only lead; of two leads either may come.

A date that has begun holds what it held and takes nothing more, so noting what happened can never be refused. Changing
who leads a group is not refused either: dates on which they are elsewhere hold nobody, and the schedule says so.
No column here changes when a place is taken, so that still rewrites no index.
"""

from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations

HOLD = r"""
ALTER TABLE meetings_meeting ADD COLUMN held_room bigint, ADD COLUMN held_link text, ADD COLUMN held_lead uuid;

CREATE FUNCTION meetings_link_key(link text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT nullif(rtrim(regexp_replace(lower(trim(link)), '^https?://|[?&]pwd=[^&#]*', '', 'g'), '/'), '')
$$;

CREATE FUNCTION meetings_only_lead(wanted_group bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT min(member_id::text)::uuid FROM groups_facilitator
    WHERE group_id = wanted_group AND role = 'lead' HAVING count(*) = 1
$$;

CREATE FUNCTION meetings_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.starts_at <= now() THEN
        IF NEW.status = 'did_not_meet' THEN
            NEW.held_room := NULL; NEW.held_link := NULL; NEW.held_lead := NULL;
        END IF;
        RETURN NEW;
    END IF;
    SELECT CASE WHEN NEW.mode <> 'online' THEN coalesce(NEW.room_id, room_id) END,
           CASE WHEN NEW.mode <> 'in-person' AND feed_slug IS NULL THEN meetings_link_key(link) END
    INTO NEW.held_room, NEW.held_link FROM groups_group WHERE id = NEW.group_id;
    NEW.held_lead := coalesce(NEW.substitute_id, meetings_only_lead(NEW.group_id));
    RETURN NEW;
END $$;

-- After `new_meeting_takes_facts`, which waits for a group that is being changed.
CREATE TRIGGER new_meeting_takes_hold BEFORE INSERT ON meetings_meeting
    FOR EACH ROW EXECUTE FUNCTION meetings_hold();
CREATE TRIGGER meeting_takes_hold
    BEFORE UPDATE OF status, mode, room_id, substitute_id, group_id ON meetings_meeting
    FOR EACH ROW EXECUTE FUNCTION meetings_hold();
"""

CONSTRAINTS = """
ALTER TABLE meetings_meeting
    ADD CONSTRAINT meeting_room_is_free EXCLUDE USING gist (
        held_room WITH =, tstzrange(starts_at, ends_at) WITH &&, group_id WITH <>
    ) WHERE (held_room IS NOT NULL AND status IN ('scheduled', 'held')),
    ADD CONSTRAINT meeting_link_is_free EXCLUDE USING gist (
        held_link WITH =, tstzrange(starts_at, ends_at) WITH &&, group_id WITH <>
    ) WHERE (held_link IS NOT NULL AND status IN ('scheduled', 'held')),
    ADD CONSTRAINT meeting_lead_is_free EXCLUDE USING gist (
        held_lead WITH =, tstzrange(starts_at, ends_at) WITH &&, group_id WITH <>
    ) WHERE (held_lead IS NOT NULL AND status IN ('scheduled', 'held'));
"""

# Dates planned before this, one by one: where two groups were planned together already, the second holds nothing.
CLAIM = """
CREATE FUNCTION meetings_claim(wanted_group bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    coming uuid;
BEGIN
    FOR coming IN
        SELECT id FROM meetings_meeting
        WHERE group_id = wanted_group AND status = 'scheduled' AND starts_at > now()
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        BEGIN
            UPDATE meetings_meeting SET mode = mode WHERE id = coming;
        EXCEPTION WHEN exclusion_violation THEN
            UPDATE meetings_meeting SET held_lead = NULL WHERE id = coming;
        END;
    END LOOP;
END $$;

CREATE FUNCTION meetings_follow_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM meetings_claim(OLD.group_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM meetings_claim(NEW.group_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lead_tells_meetings AFTER INSERT OR DELETE OR UPDATE OF role, member_id, group_id ON groups_facilitator
    FOR EACH ROW EXECUTE FUNCTION meetings_follow_lead();

CREATE FUNCTION meetings_follow_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM meetings_meeting
    WHERE group_id = NEW.id AND status = 'scheduled' AND starts_at > now() ORDER BY id FOR NO KEY UPDATE;
    UPDATE meetings_meeting SET mode = mode
    WHERE group_id = NEW.id AND status = 'scheduled' AND starts_at > now();
    RETURN NULL;
END $$;
CREATE TRIGGER group_tells_its_room AFTER UPDATE OF room_id, link, feed_slug ON groups_group
    FOR EACH ROW WHEN (
        (OLD.room_id, OLD.link, OLD.feed_slug IS NULL) IS DISTINCT FROM (NEW.room_id, NEW.link, NEW.feed_slug IS NULL)
    )
    EXECUTE FUNCTION meetings_follow_room();

SELECT meetings_claim(id) FROM groups_group ORDER BY id;
"""

UNDO_HOLD = """
DROP TRIGGER meeting_takes_hold ON meetings_meeting;
DROP TRIGGER new_meeting_takes_hold ON meetings_meeting;
DROP FUNCTION meetings_hold;
DROP FUNCTION meetings_only_lead;
DROP FUNCTION meetings_link_key;
ALTER TABLE meetings_meeting DROP COLUMN held_room, DROP COLUMN held_link, DROP COLUMN held_lead;
"""
UNDO_CLAIM = """
DROP TRIGGER group_tells_its_room ON groups_group;
DROP FUNCTION meetings_follow_room;
DROP TRIGGER lead_tells_meetings ON groups_facilitator;
DROP FUNCTION meetings_follow_lead;
DROP FUNCTION meetings_claim;
"""


class Migration(migrations.Migration):
    dependencies = [("meetings", "0011_change_single_dates_and_keep_lineage"), ("groups", "0014_plan_rooms")]
    operations = [
        BtreeGistExtension(),
        migrations.RunSQL(HOLD, UNDO_HOLD),
        migrations.RunSQL(CONSTRAINTS, migrations.RunSQL.noop),  # they go with their columns
        migrations.RunSQL(CLAIM, UNDO_CLAIM),
    ]
