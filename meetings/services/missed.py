"""“We missed you”: once, when somebody who asks for it had a place twice in a row and a counselor noted they were not
there. Only what is noted counts: nobody is missed because a list is open, or when they said that they cannot come."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from members.models import Consent
from outbox import kinds

from ..models import Meeting
from .wishes import HAS_CONFIRMED, NOT_HELD_BACK, WALLS, has_agreed, queue_due, walls_by_day

RECENT = timedelta(days=14)  # a meeting longer ago is not written about
NOTED = timedelta(days=3)  # in which a mail that could not be planned is caught up
REST = timedelta(days=7)  # one such mail at a time, whatever the groups

_ABSENT = "rsvp = 'going' AND {0}.attendance = 'absent'"

# The second meeting in a row: they had a place at it and at the one held before, and not at the one before that (else
# they have been written to). They are still in the group and have not come since.
STREAK = f"""
FROM meetings_meeting AS meeting
JOIN meetings_participation AS second
  ON second.meeting_id = meeting.id AND second.{_ABSENT.format("second")}
JOIN LATERAL (
  SELECT id, starts_at FROM meetings_meeting AS earlier
  WHERE earlier.group_id = meeting.group_id AND earlier.status = 'held' AND earlier.starts_at < meeting.starts_at
  ORDER BY earlier.starts_at DESC LIMIT 1) AS before ON TRUE
JOIN meetings_participation AS first
  ON first.meeting_id = before.id AND first.member_id = second.member_id AND first.{_ABSENT.format("first")}
JOIN groups_membership AS membership
  ON membership.group_id = meeting.group_id AND membership.member_id = second.member_id
 AND membership.status = 'active' AND NOT membership.is_muted
WHERE meeting.status = 'held'
  AND NOT EXISTS (
    SELECT FROM meetings_participation AS already
    WHERE already.member_id = second.member_id AND already.{_ABSENT.format("already")}
      AND already.meeting_id = (
        SELECT id FROM meetings_meeting AS earlier
        WHERE earlier.group_id = meeting.group_id AND earlier.status = 'held' AND earlier.starts_at < before.starts_at
        ORDER BY earlier.starts_at DESC LIMIT 1))
  AND NOT EXISTS (
    SELECT FROM meetings_participation AS since JOIN meetings_meeting AS later ON later.id = since.meeting_id
    WHERE since.member_id = second.member_id AND later.group_id = meeting.group_id
      AND later.starts_at > meeting.starts_at AND since.attendance IN ('present', 'late', 'left_early'))
"""

QUEUE = f"""
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at)
SELECT DISTINCT ON (member.id) concat('missed/', missed.meeting_id, '/', member.id), 'missed',
       member.id, missed.meeting_id, 'twice', %(now)s + %(noted)s
FROM (
  SELECT meeting.id AS meeting_id, meeting.starts_at, meeting.local_date, meeting.time_zone, second.member_id,
         GREATEST(first.recorded_at, second.recorded_at) AS noted_at
  {STREAK} AND meeting.starts_at > %(since)s AND meeting.starts_at <= %(now)s
) AS missed
JOIN {WALLS} ON wall.zone = missed.time_zone AND wall.today > missed.local_date
JOIN members_member AS member ON member.id = missed.member_id AND member.is_active
LEFT JOIN members_remindersettings AS wish ON wish.member_id = member.id
WHERE missed.noted_at > %(now)s - %(noted)s
  AND {NOT_HELD_BACK} AND {has_agreed(Consent.Kind.MISSED_YOU)} AND {HAS_CONFIRMED}
  AND NOT EXISTS (
    SELECT FROM outbox_email AS email
    WHERE email.recipient_id = member.id AND email.kind = 'missed' AND email.queued_at > %(now)s - %(rest)s)
ORDER BY member.id, missed.starts_at
ON CONFLICT (key) DO NOTHING
"""

STILL = f"""
SELECT meeting.id, second.member_id
{STREAK} AND meeting.id = ANY(%(meetings)s) AND second.member_id = ANY(%(members)s)
"""


def queue_missed_you() -> int:
    """Queue “we missed you” for everyone due it. Returns how many; a second call, none."""
    if not kinds.is_sent_here("missed"):
        return 0
    now = timezone.now()
    held = Meeting.objects.filter(status=Meeting.Status.HELD, starts_at__gt=now - RECENT)
    zones = held.order_by().values_list("time_zone", flat=True).distinct()
    window = {"now": now, "since": now - RECENT, "noted": NOTED, "rest": REST}
    return queue_due(QUEUE, window | walls_by_day(zones, now))


def still_missed(meetings: Collection[UUID], members: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """Which of these people were missed at which of these meetings, as it is noted now."""
    with connection.cursor() as cursor:
        cursor.execute(STILL, {"meetings": list(meetings), "members": list(members)})
        return set(cursor.fetchall())
