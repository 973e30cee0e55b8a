"""A calendar that somebody's program follows, and whether it is what it was: one question, whose plans PostgreSQL keeps.

The meetings of a member are taken by their ids at once, which stays a look into an index however many meetings there
are. Rows are told apart by their own hashes, 64 bits of each, mixed in whatever order they come: nothing is sorted or
made into text. The group counts only where the calendar names it.
"""

from django.db import migrations

FOLLOWED = """
CREATE FUNCTION followed_calendar(
    token text, since timestamptz,
    OUT owner uuid, OUT speaks text, OUT names_groups boolean, OUT tag text, OUT noted_at timestamptz,
    OUT fingerprint text
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    places uuid[];
BEGIN
    SELECT
        member.id, member.language, member.calendar_tag, member.calendar_changed_at,
        EXISTS (
            SELECT FROM members_consent AS consent
            WHERE consent.member_id = member.id AND consent.kind = 'full-calendar' AND consent.withdrawn_at IS NULL
        )
    INTO owner, speaks, tag, noted_at, names_groups
    FROM members_member AS member
    WHERE member.calendar_token = token AND member.is_active AND EXISTS (
        SELECT FROM members_consent AS consent
        WHERE consent.member_id = member.id AND consent.kind = 'calendar' AND consent.withdrawn_at IS NULL
    );
    IF owner IS NULL THEN
        RETURN;
    END IF;
    places := ARRAY(
        SELECT place.meeting_id FROM meetings_participation AS place
        WHERE place.member_id = owner AND place.rsvp = 'going'
    );
    IF names_groups THEN
        SELECT concat_ws(' ', count(*), bit_xor(hash_record_extended(ROW(
            meeting.id, meeting.starts_at, meeting.ends_at, meeting.sequence, meeting.changed_at, meeting.status,
            meeting.mode, named.name, named.place, named.address
        ), 0)))
        INTO fingerprint
        FROM meetings_meeting AS meeting JOIN groups_group AS named ON named.id = meeting.group_id
        WHERE meeting.id = ANY(places) AND meeting.ends_at >= since;
    ELSE
        SELECT concat_ws(' ', count(*), bit_xor(hash_record_extended(ROW(
            meeting.id, meeting.starts_at, meeting.ends_at, meeting.sequence, meeting.changed_at, meeting.status
        ), 0)))
        INTO fingerprint
        FROM meetings_meeting AS meeting
        WHERE meeting.id = ANY(places) AND meeting.ends_at >= since;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0005_note_what_a_calendar_says"),
        ("meetings", "0006_find_the_next_meeting_of_a_group"),
    ]
    operations = [migrations.RunSQL(FOLLOWED, "DROP FUNCTION followed_calendar")]
