"""A calendar that somebody's program follows: whose it is and whether anything in it has changed, in one question.

Written in SQL, because a program asks every few hours for nothing new, and Django would take longer to put this
together than PostgreSQL to answer it.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from .models import KEPT_IN_CALENDAR

# The meetings of a calendar; the group only where the calendar names it. OFFSET 0 keeps "which meeting is it?" one
# quick look into an index; PostgreSQL would else read all meetings there are.
MEETINGS = """
FROM meetings_participation AS place
CROSS JOIN LATERAL (
    SELECT * FROM meetings_meeting WHERE id = place.meeting_id AND ends_at >= %(since)s OFFSET 0
) AS meeting
LEFT JOIN LATERAL (
    SELECT name, place, address FROM groups_group WHERE id = meeting.group_id AND {names} OFFSET 0
) AS named ON true
{more} WHERE place.member_id = {member} AND place.rsvp = 'going'
"""

# The address works while its owner has an account and agrees. Rows are told apart by 128 bits of their own, mixed in
# whatever order they come: nothing is sorted or made into text.
FACTS = """
CROSS JOIN LATERAL (SELECT ROW(
    meeting.id, meeting.starts_at, meeting.ends_at, meeting.sequence, meeting.changed_at, meeting.status,
    meeting.mode, named.name, named.place, named.address
) AS facts) AS entry
"""
FOLLOWED = f"""
SELECT member.id, member.language, titles.are_full, member.calendar_tag, member.calendar_changed_at, entries.fingerprint
FROM members_member AS member
CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT FROM members_consent AS consent
    WHERE consent.member_id = member.id AND consent.kind = 'full-calendar' AND consent.withdrawn_at IS NULL
) AS are_full) AS titles
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', count(*), bit_xor(hash_record_extended(facts, 0)), bit_xor(hash_record_extended(facts, 1)))
        AS fingerprint
    {MEETINGS.format(names="titles.are_full", more=FACTS, member="member.id")}
) AS entries
WHERE member.calendar_token = %(token)s AND member.is_active AND EXISTS (
    SELECT FROM members_consent AS consent
    WHERE consent.member_id = member.id AND consent.kind = 'calendar' AND consent.withdrawn_at IS NULL
)
"""

# Moments as seconds: Django would take longer to read hundreds of them than PostgreSQL to find them.
ENTRIES = f"""
SELECT meeting.id, extract(epoch FROM meeting.starts_at)::bigint, extract(epoch FROM meeting.ends_at)::bigint,
    meeting.sequence, extract(epoch FROM meeting.changed_at)::bigint, meeting.status, meeting.mode,
    named.name, named.place, named.address
{MEETINGS.format(names="%(names)s", more="", member="%(member)s")}
ORDER BY meeting.starts_at, meeting.id
"""


class Row(NamedTuple):
    """What an entry tells; moments in seconds since 1970. Name and place only where the calendar names groups."""

    id: UUID
    starts_at: int
    ends_at: int
    sequence: int
    changed_at: int | None
    status: str
    mode: str
    name: str | None
    place: str | None
    address: str | None


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


def find_entries(feed: CalendarFeed) -> list[Row]:
    """The meetings in a feed, in order of time."""
    wanted: dict[str, Any] = {
        "member": feed.member_id,
        "names": feed.names_groups,
        "since": timezone.now() - KEPT_IN_CALENDAR,
    }
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES, wanted)
        return [Row._make(row) for row in cursor.fetchall()]
