from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

import outbox.services as outbox
from members.models import Consent
from outbox import kinds

from .week import IS_NOT_IN_A_WEEK_MAIL
from .wishes import HAS_CONFIRMED, NOT_HELD_BACK, WALLS, has_agreed, walls_by_day

# Who is to be reminded, of what: asked by start time in a window and by the clock on the group's own wall, so that
# neither a missed tick nor a change of clocks loses or doubles anything (EML-06, EML-07, EML-14). How early, the hours
# of quiet and a pause are each person's own; who has no row of settings is reminded as everybody was before there were.
DUE = f"""
FROM meetings_meeting AS meeting
CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM meeting.starts_at))::bigint::text AS start) AS fact
JOIN groups_membership AS membership
  ON membership.group_id = meeting.group_id AND membership.status = 'active' AND NOT membership.is_muted
JOIN members_member AS member ON member.id = membership.member_id AND member.is_active
LEFT JOIN meetings_participation AS participation
  ON participation.meeting_id = meeting.id AND participation.member_id = member.id
JOIN {WALLS} ON wall.zone = meeting.time_zone
LEFT JOIN members_remindersettings AS wish ON wish.member_id = member.id
CROSS JOIN LATERAL (
  SELECT CASE WHEN meeting.local_time < '12:00' THEN %(evening_before)s ELSE %(same_day_opens)s END AS opens
) AS on_the_day
-- whoever wants both gets the first late only until the second is due
CROSS JOIN LATERAL (
  SELECT '' AS which, %(days_open)s AS opens, %(days_end)s AS ends
  WHERE wish.lead IS NULL OR wish.lead IN ('days', 'weekly')
     OR wish.lead = 'both' AND meeting.starts_at > %(now)s + on_the_day.opens
  UNION ALL
  SELECT CASE wish.lead WHEN 'both' THEN '/day' ELSE '' END, on_the_day.opens, %(same_day_ends)s
  WHERE wish.lead IN ('same-day', 'both')
) AS ahead
WHERE meeting.status = 'scheduled'
  AND meeting.starts_at > %(now)s + %(latest)s AND meeting.starts_at <= %(now)s + %(earliest)s
  AND meeting.starts_at <= %(now)s + ahead.opens
  -- later than the window only those the window should have reached: somebody who answered since knows
  AND (meeting.starts_at > %(now)s + ahead.ends
       OR COALESCE(participation.rsvp_at, membership.joined_at) <= meeting.starts_at - ahead.ends)
  AND {NOT_HELD_BACK}
  -- those with a place, and those of the group who have not answered while there are places
  AND (participation.rsvp = 'going' OR (participation.rsvp IS NULL AND meeting.places_taken < meeting.capacity))
  AND {has_agreed(Consent.Kind.REMINDERS)} AND {HAS_CONFIRMED}
  AND (wish.lead IS DISTINCT FROM 'weekly' OR NOT %(weekly)s OR {IS_NOT_IN_A_WEEK_MAIL})
"""

# One reminder for each meeting, member and start: a meeting that moves is worth another. And one more on the day for
# those who want both.
KEY = "concat('reminder/', meeting.id, '/', member.id, '/', fact.start, ahead.which)"

ZONES = """
SELECT DISTINCT time_zone
FROM meetings_meeting
WHERE status = 'scheduled' AND starts_at > %(now)s + %(latest)s AND starts_at <= %(now)s + %(earliest)s
"""

# In the order of the key, so that two ticks at once wait for each other and never both for ever.
QUEUE = f"""
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at)
SELECT {KEY} AS key, 'reminder', member.id, meeting.id, fact.start, meeting.starts_at - %(latest)s
{DUE}
ORDER BY key
ON CONFLICT (key) DO NOTHING
"""

COUNT = f"""
SELECT count(*)
{DUE}
AND NOT EXISTS (SELECT FROM outbox_email AS email WHERE email.key = {KEY})
"""


@transaction.atomic
def queue_due_reminders() -> int:
    """Queue a reminder for everyone due one, in two statements. Returns how many were queued; a second call, none."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, _parameters(cursor, timezone.now()))
        queued = cursor.rowcount
    if queued:
        transaction.on_commit(outbox.wake_senders)
    return queued


def count_due_reminders() -> int:
    """How many reminders the next tick would queue."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, _parameters(cursor, timezone.now()))
        return cursor.fetchone()[0]


def reminder_fact(starts_at: datetime) -> str:
    """What a reminder is about, as the statement above writes it."""
    return str(int(starts_at.timestamp()))


def _parameters(cursor: Any, now: datetime) -> dict[str, Any]:
    days_end, days_open = settings.REMIND_BEFORE
    same_day_ends, same_day_opens = settings.REMIND_SAME_DAY
    window = {
        "now": now,
        "latest": settings.REMIND_LATEST,
        "earliest": max(days_open, same_day_opens, settings.REMIND_EVENING_BEFORE),
        "days_open": days_open,
        "days_end": days_end,
        "same_day_opens": same_day_opens,
        "same_day_ends": same_day_ends,
        "evening_before": settings.REMIND_EVENING_BEFORE,
        "weekly": kinds.is_sent_here("week"),
    }
    cursor.execute(ZONES, window)
    return window | walls_by_day([zone for (zone,) in cursor.fetchall()], now)
