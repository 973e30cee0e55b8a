"""What to expect: one mail before somebody's first meeting ever, once they have a place."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from members.models import Consent
from outbox import kinds

from ..models import Meeting
from .wishes import HAS_CONFIRMED, NOT_HELD_BACK, WALLS, has_agreed, queue_due, walls_by_day

DAYS_AHEAD = 7  # whoever has a place later than that hears a week before

# Once for each member, for good: the key holds nothing else.
QUEUE = f"""
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at)
SELECT DISTINCT ON (member.id) concat('welcome/', member.id), 'welcome', member.id, meeting.id, 'first place',
       meeting.starts_at - %(latest)s
FROM meetings_meeting AS meeting
JOIN {WALLS} ON wall.zone = meeting.time_zone
JOIN meetings_participation AS participation ON participation.meeting_id = meeting.id AND participation.rsvp = 'going'
JOIN members_member AS member ON member.id = participation.member_id AND member.is_active
JOIN groups_membership AS membership
  ON membership.group_id = meeting.group_id AND membership.member_id = member.id
 AND membership.status = 'active' AND NOT membership.is_muted
LEFT JOIN members_remindersettings AS wish ON wish.member_id = member.id
WHERE meeting.status = 'scheduled'
  AND meeting.starts_at > %(now)s + %(latest)s AND meeting.starts_at <= %(until)s
  AND NOT EXISTS (SELECT FROM outbox_email AS email WHERE email.key = concat('welcome/', member.id))
  AND NOT EXISTS (
    SELECT FROM meetings_participation AS earlier JOIN meetings_meeting AS begun ON begun.id = earlier.meeting_id
    WHERE earlier.member_id = member.id AND begun.starts_at <= %(now)s
      AND (earlier.rsvp = 'going' OR earlier.attendance IN ('present', 'late', 'left_early')))
  AND {NOT_HELD_BACK} AND {has_agreed(Consent.Kind.REMINDERS)} AND {HAS_CONFIRMED}
ORDER BY member.id, meeting.starts_at
ON CONFLICT (key) DO NOTHING
"""


def queue_welcomes() -> int:
    """Queue what to expect for everyone who has their first place. Returns how many; a second call, none."""
    if not kinds.is_sent_here("welcome"):
        return 0
    now = timezone.now()
    until = now + timedelta(days=DAYS_AHEAD)
    coming = Meeting.objects.filter(status=Meeting.Status.SCHEDULED, starts_at__gt=now, starts_at__lte=until)
    zones = coming.order_by().values_list("time_zone", flat=True).distinct()
    window = {"now": now, "until": until, "latest": settings.REMIND_LATEST}
    return queue_due(QUEUE, window | walls_by_day(zones, now))
