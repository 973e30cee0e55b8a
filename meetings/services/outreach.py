"""People to reach out to: they had a place several times in a row in a group and were not there (OPS-15).

Only what a counselor noted counts. A time they had said that they cannot come, or were excused, is neither a miss nor
a visit. Who was contacted is on the list again only after another miss.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.services import record
from groups.models import Group
from members.models import Member

from ..models import Meeting, Outreach

LOOKS_BACK = timedelta(days=120)

# The run of misses up to now, of each person in each group: how long it is, its newest meeting, and the last visit.
TO_REACH = """
WITH noted AS (
  SELECT meeting.id AS meeting_id, meeting.group_id, meeting.starts_at, visit.member_id,
         visit.attendance = 'absent' AS is_miss,
         row_number() OVER (
           PARTITION BY meeting.group_id, visit.member_id ORDER BY meeting.starts_at DESC, meeting.id) AS nth
  FROM meetings_meeting AS meeting
  JOIN meetings_participation AS visit ON visit.meeting_id = meeting.id
  WHERE meeting.status = 'held' AND meeting.starts_at > %(since)s AND meeting.starts_at <= %(now)s
    AND meeting.group_id = ANY(%(groups)s)
    AND (visit.attendance IN ('present', 'late', 'left_early')
         OR (visit.attendance = 'absent' AND visit.rsvp = 'going'))
), run AS (
  SELECT group_id, member_id,
         COALESCE(min(nth) FILTER (WHERE NOT is_miss) - 1, count(*)) AS missed,
         (array_agg(meeting_id) FILTER (WHERE nth = 1))[1] AS meeting_id,
         max(starts_at) FILTER (WHERE nth = 1) AS missed_at,
         max(starts_at) FILTER (WHERE NOT is_miss) AS came_at
  FROM noted GROUP BY group_id, member_id
)
SELECT run.meeting_id, run.member_id, member.display_name, member.code, own_group.name, own_group.time_zone,
       run.missed, run.missed_at, run.came_at
FROM run
JOIN groups_membership AS membership
  ON membership.group_id = run.group_id AND membership.member_id = run.member_id AND membership.status = 'active'
JOIN members_member AS member ON member.id = run.member_id AND member.is_active
JOIN groups_group AS own_group ON own_group.id = run.group_id
WHERE run.missed >= %(times)s
  AND NOT EXISTS (
    SELECT FROM meetings_outreach AS outreach
    WHERE outreach.meeting_id = run.meeting_id AND outreach.member_id = run.member_id)
ORDER BY run.missed_at DESC, member.display_name, run.member_id
LIMIT %(most)s
"""


class Missed(NamedTuple):
    """Somebody to reach out to, and the meeting they missed last."""

    meeting_id: UUID
    member_id: UUID
    display_name: str
    code: str
    group_name: str
    time_zone: str
    times: int
    missed_at: datetime
    came_at: datetime | None

    @property
    def missed_on(self) -> datetime:
        return self.missed_at.astimezone(ZoneInfo(self.time_zone))

    @property
    def came_on(self) -> datetime | None:
        return self.came_at.astimezone(ZoneInfo(self.time_zone)) if self.came_at else None


def people_to_reach(staff: Member, *, most: int) -> list[Missed]:
    """Who in the groups that somebody works with was missed, the newest miss first."""
    if staff.is_superuser:
        return []
    now = timezone.now()
    facts: dict[str, Any] = {
        "groups": list(Group.objects.visible_to(staff).order_by().values_list("pk", flat=True)),
        "since": now - LOOKS_BACK,
        "now": now,
        "times": settings.OUTREACH_AFTER_MISSED,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(TO_REACH, facts)
        return [Missed(*row) for row in cursor.fetchall()]


@transaction.atomic
def note_contact(meeting: Meeting, member: Member, *, by: Member) -> bool:
    """Note that somebody who missed this meeting was contacted. False if it is noted already."""
    _noted, is_new = Outreach.objects.get_or_create(meeting=meeting, member=member, defaults={"contacted_by": by})
    if is_new:
        record("outreach.contacted", meeting, by=by, member=str(member.pk))
    return is_new


@transaction.atomic
def undo_contact(meeting: Meeting, member: Member, *, by: Member) -> bool:
    """Take that note back: they are on the list again. False if nothing was noted."""
    deleted, _by_model = Outreach.objects.filter(meeting=meeting, member=member).delete()
    if not deleted:
        return False
    record("outreach.undone", meeting, by=by, member=str(member.pk))
    return True
