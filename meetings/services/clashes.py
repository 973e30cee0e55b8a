"""Two groups in one room, behind one link, or led by one person at the same time.

The database refuses it (migration 0012). Here is what it refused, in words for people.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from groups.models import Group
from members.models import Member

from .. import wording
from ..models import Meeting

CONSTRAINTS = {
    "meeting_room_is_free": "room",
    "meeting_link_is_free": "link",
    "meeting_lead_is_free": "lead",
    "meeting_once_per_series_start": "same_start",
    "meeting_once_per_series_date": "same_start",
}


class Clash(IntegrityError):
    """A date that cannot stand where it was to be put. Raised out of the transaction, so nothing has changed."""

    def __init__(self, what: str, when: str):
        super().__init__(f"{what} {when}")
        self.what, self.when = what, when

    def __str__(self) -> str:
        return say(self.what, self.when)


def say(what: str, when: str, other: str = "") -> str:
    """One sentence. `other` is the group that is there, if the reader may know."""
    words = {
        "room": _("%(when)s: the room is taken by another group."),
        "link": _("%(when)s: another group meets behind the same link."),
        "lead": _("%(when)s: the one who leads has another group then."),
        "same_start": _("%(when)s: the group meets then already."),
    }[what] % {"when": when}
    return f"{words} ({other})" if other else words


@contextmanager
def told_as_clash(meeting: Meeting) -> Iterator[None]:
    """Turn the database's refusal of a date into a `Clash`; other errors stay what they are."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if constraint not in CONSTRAINTS:
            raise
        raise Clash(CONSTRAINTS[constraint], wording.moment(meeting.starts_at.astimezone(meeting.zone))) from error


def refused_because(error: DatabaseError) -> str:
    """Why the database refused what was written, if it is one of these reasons; else nothing."""
    if isinstance(error, Clash):
        return str(error)
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return say(CONSTRAINTS[constraint], _("On one of its dates")) if constraint in CONSTRAINTS else ""


class Planned(Protocol):
    """A time and a way of meeting, of a date that is there or was left out."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def mode(self) -> str: ...


class Taken(NamedTuple):
    """What is taken at a planned time (`room`, `link` or `lead`), and by which group."""

    what: str
    group_id: int


# The planned times of one group against what the dates of others hold. Dates are at most a day long, so those to look
# at are found by when they start.
FIND = """
SELECT planned.turn,
       CASE WHEN other.held_room = mine.room AND planned.mode <> 'online' THEN 'room'
            WHEN other.held_link = mine.link AND planned.mode <> 'in-person' THEN 'link'
            ELSE 'lead' END,
       other.group_id
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[], %(modes)s::text[], %(rooms)s::bigint[],
            %(leads)s::uuid[]) WITH ORDINALITY AS planned (starts_at, ends_at, mode, room, lead, turn)
CROSS JOIN LATERAL (
    SELECT coalesce(planned.room, room_id) AS room,
           CASE WHEN feed_slug IS NULL THEN meetings_link_key(link) END AS link,
           coalesce(planned.lead, meetings_only_lead(id)) AS lead
    FROM groups_group WHERE id = %(group)s
) AS mine
JOIN meetings_meeting AS other
    ON other.starts_at > planned.starts_at - interval '1 day' AND other.starts_at < planned.ends_at
    AND other.ends_at > planned.starts_at AND other.group_id <> %(group)s AND other.status IN ('scheduled', 'held')
WHERE (other.held_room = mine.room AND planned.mode <> 'online')
   OR (other.held_link = mine.link AND planned.mode <> 'in-person')
   OR other.held_lead = mine.lead
ORDER BY planned.turn
"""


class Led(NamedTuple):
    """A date as it would be with another to lead it."""

    starts_at: datetime
    ends_at: datetime
    mode: str
    substitute_id: UUID


def dates_led_elsewhere(group: Group, member: Member) -> list[Meeting]:
    """The coming dates of a group that somebody could not lead, because they lead another group then."""
    coming = list(Meeting.objects.upcoming().filter(group=group, substitute=None).in_order())
    taken = find_taken(group, [Led(one.starts_at, one.ends_at, one.mode, member.pk) for one in coming])
    return [one for one, found in zip(coming, taken, strict=True) if found and found.what == "lead"]


def find_taken(group: Group, planned: Iterable[Planned]) -> list[Taken | None]:
    """What stands in the way of each planned time of a group; None where nothing does. One question for all."""
    rows = list(planned)
    found: dict[int, Taken] = {}
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                FIND,
                {
                    "group": group.pk,
                    "starts": [row.starts_at for row in rows],
                    "ends": [row.ends_at for row in rows],
                    "modes": [row.mode for row in rows],
                    "rooms": [getattr(row, "room_id", None) for row in rows],
                    "leads": [getattr(row, "substitute_id", None) for row in rows],
                },
            )
            for turn, what, group_id in cursor.fetchall():
                found.setdefault(turn - 1, Taken(what, group_id))
    return [found.get(turn) for turn in range(len(rows))]
