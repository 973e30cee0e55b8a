"""When mail may leave, and to whom, in SQL: the same for every kind that people can choose.

The conditions speak of `member`, of `wish` (their settings, or none) and of `wall`: the clocks and calendars of the
zones in which it is an hour at which mail may leave. These are read here and not in the statement: one zone that
PostgreSQL does not know would end it for everybody.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

import outbox.services as outbox
from members.models import Consent
from members.time_zones import is_time_zone

logger = logging.getLogger(__name__)

WALLS = "unnest(%(zones)s::text[], %(hours)s::int[], %(dates)s::date[]) AS wall (zone, hour, today)"

NOT_HELD_BACK = """
  (wish.paused_until IS NULL OR wish.paused_until <= wall.today)
  AND NOT CASE WHEN wish.quiet_from < wish.quiet_until
                 THEN wall.hour >= wish.quiet_from AND wall.hour < wish.quiet_until
               WHEN wish.quiet_from > wish.quiet_until
                 THEN wall.hour >= wish.quiet_from OR wall.hour < wish.quiet_until
               ELSE FALSE END
"""

HAS_CONFIRMED = """
  EXISTS (SELECT FROM account_emailaddress AS address
          WHERE address.user_id = member.id AND address.email = member.email AND address.verified)
"""


def has_agreed(kind: Consent.Kind) -> str:
    return f"""
  EXISTS (SELECT FROM members_consent AS consent
          WHERE consent.member_id = member.id AND consent.kind = '{kind.value}' AND consent.withdrawn_at IS NULL)
"""


def walls_by_day(zones: Iterable[str], now: datetime) -> dict[str, Any]:
    """The parameters of `WALLS`. What is no time zone is logged and left out."""
    first_hour, last_hour = settings.REMIND_HOURS
    zones = set(zones)
    for zone in zones:
        if not is_time_zone(zone):
            logger.warning("No reminders for meetings in %r: it is not a time zone. Correct it at its group.", zone)
    walls = {zone: now.astimezone(ZoneInfo(zone)) for zone in zones if is_time_zone(zone)}
    awake = {zone: wall for zone, wall in walls.items() if first_hour <= wall.hour < last_hour}
    return {
        "zones": list(awake),
        "hours": [wall.hour for wall in awake.values()],
        "dates": [wall.date() for wall in awake.values()],
    }


@transaction.atomic
def queue_due(statement: str, parameters: dict[str, Any]) -> int:
    """Run a statement that queues mail, and wake the senders if there is any. Returns how many were queued."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        queued = cursor.rowcount
    if queued:
        transaction.on_commit(outbox.wake_senders)
    return queued
