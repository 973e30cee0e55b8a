import logging
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

import outbox.services as outbox
from members.time_zones import is_time_zone

logger = logging.getLogger(__name__)

# Who is to be reminded, of what: asked by start time in a window and by the clock on the group's own wall, so that
# neither a missed tick nor a change of clocks loses or doubles anything (EML-06, EML-07, EML-14).
DUE = """
FROM meetings_meeting AS meeting
CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM meeting.starts_at))::bigint::text AS start) AS fact
JOIN groups_membership AS membership
  ON membership.group_id = meeting.group_id AND membership.status = 'active' AND NOT membership.is_muted
JOIN members_member AS member ON member.id = membership.member_id AND member.is_active
LEFT JOIN meetings_participation AS participation
  ON participation.meeting_id = meeting.id AND participation.member_id = member.id
WHERE meeting.status = 'scheduled'
  AND meeting.starts_at > %(now)s + %(latest)s AND meeting.starts_at <= %(now)s + %(earliest)s
  -- later than the window only those the window should have reached: somebody who answered since knows
  AND (meeting.starts_at > %(now)s + %(window_ends)s
       OR COALESCE(participation.rsvp_at, membership.joined_at) <= meeting.starts_at - %(window_ends)s)
  AND meeting.time_zone = ANY(%(zones_by_day)s)
  -- those with a place, and those of the group who have not answered while there are places
  AND (participation.rsvp = 'going' OR (participation.rsvp IS NULL AND meeting.places_taken < meeting.capacity))
  AND EXISTS (SELECT FROM members_consent AS consent
              WHERE consent.member_id = member.id AND consent.kind = 'reminders' AND consent.withdrawn_at IS NULL)
  AND EXISTS (SELECT FROM account_emailaddress AS address
              WHERE address.user_id = member.id AND address.email = member.email AND address.verified)
"""

# One reminder for each meeting, member and start: a meeting that moves is worth another.
KEY = "concat('reminder/', meeting.id, '/', member.id, '/', fact.start)"

# The clocks are read here and not in the statement: one zone PostgreSQL does not know would end it for everybody.
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
    window_ends, earliest = settings.REMIND_BEFORE
    window = {"now": now, "latest": settings.REMIND_LATEST, "earliest": earliest}
    cursor.execute(ZONES, window)
    zones = [zone for (zone,) in cursor.fetchall()]
    return {**window, "window_ends": window_ends, "zones_by_day": _zones_by_day(zones, now)}


def _zones_by_day(zones: list[str], now: datetime) -> list[str]:
    """Those where it is an hour at which mail may leave. One that is no time zone is logged and left out."""
    first_hour, last_hour = settings.REMIND_HOURS
    for zone in zones:
        if not is_time_zone(zone):
            logger.warning("No reminders for meetings in %r: it is not a time zone. Correct it at its group.", zone)
    real = filter(is_time_zone, zones)
    return [zone for zone in real if first_hour <= now.astimezone(ZoneInfo(zone)).hour < last_hour]
