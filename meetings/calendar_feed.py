"""A calendar that somebody's program follows: whose it is and whether anything in it has changed, in one question.

Written in SQL, because a program asks every few hours for nothing new, and Django would take longer to put this
together than PostgreSQL to answer it.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from .models import KEPT_IN_CALENDAR

# The address works while its owner has an account and agrees. Rows are told apart by 128 bits of their own, mixed in
# whatever order they come: nothing is sorted or made into text. The group counts only where the calendar names it.
# OFFSET 0 keeps "which meeting is it?" one quick look into an index; PostgreSQL would else read all meetings there are.
FOLLOWED = """
SELECT member.id, member.language, titles.are_full, member.calendar_tag, member.calendar_changed_at, entries.fingerprint
FROM members_member AS member
CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT FROM members_consent AS consent
    WHERE consent.member_id = member.id AND consent.kind = 'full-calendar' AND consent.withdrawn_at IS NULL
) AS are_full) AS titles
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', count(*), bit_xor(hash_record_extended(facts, 0)), bit_xor(hash_record_extended(facts, 1)))
        AS fingerprint
    FROM meetings_participation AS place
    CROSS JOIN LATERAL (
        SELECT * FROM meetings_meeting WHERE id = place.meeting_id AND ends_at >= %(since)s OFFSET 0
    ) AS meeting
    LEFT JOIN LATERAL (
        SELECT name, place, address FROM groups_group WHERE id = meeting.group_id AND titles.are_full OFFSET 0
    ) AS named ON true
    CROSS JOIN LATERAL (SELECT ROW(
        meeting.id, meeting.starts_at, meeting.ends_at, meeting.sequence, meeting.changed_at, meeting.status,
        meeting.mode, named.name, named.place, named.address
    ) AS facts) AS entry
    WHERE place.member_id = member.id AND place.rsvp = 'going'
) AS entries
WHERE member.calendar_token = %(token)s AND member.is_active AND EXISTS (
    SELECT FROM members_consent AS consent
    WHERE consent.member_id = member.id AND consent.kind = 'calendar' AND consent.withdrawn_at IS NULL
)
"""


class CalendarFeed(NamedTuple):
    """`fingerprint` is another text whenever the entries are others; `tag` and `changed_at` are what was last noted."""

    member_id: UUID
    language: str
    names_groups: bool
    tag: str
    changed_at: datetime | None
    fingerprint: str


def find_calendar_feed(token: str) -> CalendarFeed | None:
    """The feed at this address; None for one that was renewed or switched off, and of a closed account."""
    with connection.cursor() as cursor:
        cursor.execute(FOLLOWED, {"token": token, "since": timezone.now() - KEPT_IN_CALENDAR})
        row = cursor.fetchone()
    return CalendarFeed(*row) if row else None
