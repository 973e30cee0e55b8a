"""Times as people read them on the pages about themselves."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _


def moment(value: datetime, zone: ZoneInfo | None) -> str:
    """`Nov. 21, 2026, 3:59 p.m. (EST)`: a time in UTC by the reader's clock, one of another place by its own."""
    local = value.astimezone(zone) if zone and value.tzinfo is UTC else value
    return _("%(date)s (%(zone)s)") % {"date": date_format(local, "DATETIME_FORMAT"), "zone": local.tzname()}
