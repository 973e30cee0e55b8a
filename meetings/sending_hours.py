"""Whether a mail that nobody waits for may leave at this hour."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_noop

from members.models import ReminderSettings
from outbox.kinds import Later, Unwanted


def not_now(wish: ReminderSettings, wall: datetime) -> Unwanted | Later | None:
    """What a pause, the night or somebody's quiet hours say to it, by the clock on the wall where they meet.

    A pause drops it. In the night and in quiet hours it waits for their end, and expires like any other.
    """
    if wish.is_paused_on(wall.date()):
        return Unwanted(gettext_noop("reminders are paused"))
    if wish.is_quiet_at(wall.hour):
        return Later(wish.quiet_ends_at(wall))
    first_hour, last_hour = settings.REMIND_HOURS
    if first_hour <= wall.hour < last_hour:
        return None
    opens = wall.replace(hour=first_hour, minute=0, second=0, microsecond=0)
    return Later(opens if opens > wall else opens + timedelta(days=1))
