"""A note to counselors: a meeting is over, and nobody has said yet who came."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from outbox import kinds

from ..models import Meeting
from .wishes import HAS_CONFIRMED, NOT_HELD_BACK, WALLS, queue_due, walls_by_day

LATE = 2  # days on which a note that could not be planned is caught up, fewer than between two of them

# The day after by the calendar where the group meets, and then twice more, a week apart. The key holds which one it is.
QUEUE = f"""
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at)
SELECT concat('roster_open/', meeting.id, '/', member.id, '/', nudge.number) AS key, 'roster_open',
       member.id, meeting.id, nudge.number::text, meeting.ends_at + make_interval(days => nudge.days + %(late)s + 1)
FROM meetings_meeting AS meeting
JOIN {WALLS} ON wall.zone = meeting.time_zone
JOIN unnest(%(days)s::int[]) WITH ORDINALITY AS nudge (days, number)
  ON wall.today - meeting.local_date BETWEEN nudge.days AND nudge.days + %(late)s
JOIN groups_facilitator AS facilitator
  ON facilitator.group_id = meeting.group_id AND facilitator.role <> 'substitute'
JOIN members_member AS member
  ON member.id = facilitator.member_id AND member.is_active AND member.role IN ('counselor', 'coordinator')
LEFT JOIN members_remindersettings AS wish ON wish.member_id = member.id
WHERE meeting.status = 'scheduled' AND meeting.ends_at <= %(now)s AND meeting.starts_at > %(since)s
  AND COALESCE(wish.roster_nudges, TRUE)
  AND {NOT_HELD_BACK} AND {HAS_CONFIRMED}
ORDER BY key
ON CONFLICT (key) DO NOTHING
"""


def queue_roster_nudges() -> int:
    """Queue a note to each counselor of a meeting whose roster is open. Returns how many; a second call, none."""
    if not kinds.is_sent_here("roster_open"):
        return 0
    now = timezone.now()
    since = now - timedelta(days=max(settings.ROSTER_NUDGE_DAYS) + LATE + 2)
    zones = Meeting.objects.roster_open().filter(starts_at__gt=since).order_by().values_list("time_zone", flat=True)
    parameters = {"now": now, "since": since, "days": list(settings.ROSTER_NUDGE_DAYS), "late": LATE}
    return queue_due(QUEUE, parameters | walls_by_day(zones.distinct(), now))
