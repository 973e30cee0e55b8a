"""The numbers of a week by mail, to those of staff who ask for it."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from meetings.services.wishes import HAS_CONFIRMED, NOT_HELD_BACK, WALLS, queue_due, walls_by_day
from members.models import Member
from outbox import kinds

from .figures import last_day_of_finished_weeks

READERS = (Member.Role.COORDINATOR, Member.Role.REPORTS)
LATE = 2  # days after Monday on which a mail that could not be planned is caught up
HELPS_FOR = timedelta(days=2)

# On the Monday after the week, by the clock of whoever reads it, as soon as the week is over everywhere.
QUEUE = f"""
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at)
SELECT concat('figures/', member.id, '/', %(last)s::date) AS key, 'figures',
       member.id, member.id, %(last)s::date::text, %(now)s + %(helps_for)s
FROM members_remindersettings AS wish
JOIN members_member AS member ON member.id = wish.member_id AND member.is_active AND member.role = ANY(%(roles)s)
JOIN {WALLS} ON wall.zone = COALESCE(NULLIF(member.time_zone, ''), %(zone)s)
WHERE wish.weekly_figures
  AND wall.today - %(last)s::date BETWEEN 1 AND 1 + %(late)s
  AND {NOT_HELD_BACK} AND {HAS_CONFIRMED}
ORDER BY key
ON CONFLICT (key) DO NOTHING
"""


def queue_week_figures() -> int:
    """Queue the numbers of the last week for everybody who asks for them. Returns how many; a second call, none."""
    if not kinds.is_sent_here("figures"):
        return 0
    now = timezone.now()
    readers = Member.objects.filter(role__in=READERS).exclude(time_zone="")
    zones = {settings.DEFAULT_TIME_ZONE, *readers.values_list("time_zone", flat=True).distinct()}
    facts = {
        "now": now,
        "last": last_day_of_finished_weeks(),
        "zone": settings.DEFAULT_TIME_ZONE,
        "roles": list(READERS),
        "late": LATE,
        "helps_for": HELPS_FOR,
    }
    return queue_due(QUEUE, facts | walls_by_day(zones, now))
