"""A calendar that somebody's program follows: whose it is and whether anything in it has changed, in one question.

Programs ask every few hours for nothing new. So the question is a function of the database (migration 0007), whose
plans PostgreSQL keeps, and nothing is fetched to answer it. The function and `ENTRIES` speak of the same meetings and
the same facts.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from .models import KEPT_IN_CALENDAR

FOLLOWED = """
SELECT owner, speaks, names_groups, tag, noted_at, fingerprint
FROM followed_calendar(%(token)s, %(since)s) WHERE owner IS NOT NULL
"""

# Moments as seconds: Django would take longer to read hundreds of them than PostgreSQL to find them.
ENTRIES = """
SELECT meeting.id, extract(epoch FROM meeting.starts_at)::bigint, extract(epoch FROM meeting.ends_at)::bigint,
    meeting.sequence, extract(epoch FROM meeting.changed_at)::bigint, meeting.status, meeting.mode,
    named.name, named.place, named.address
FROM meetings_meeting AS meeting LEFT JOIN groups_group AS named ON named.id = meeting.group_id AND %(names)s
WHERE meeting.ends_at >= %(since)s AND meeting.id = ANY(ARRAY(
    SELECT place.meeting_id FROM meetings_participation AS place
    WHERE place.member_id = %(member)s AND place.rsvp = 'going'
))
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
