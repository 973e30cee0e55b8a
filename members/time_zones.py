"""Which names of time zones can be trusted to mean the same to Python, to PostgreSQL and to the people of a group."""

import zoneinfo
from functools import cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

NOT_A_PLACE = {"localtime", "Factory"}  # in Debian's directory of zones, and no names that IANA gives a place
OTHER_CLOCKS = ("posix/", "right/")  # copies of every zone; those of "right" count leap seconds


def is_time_zone(name: str) -> bool:
    """Whether it is a name from the IANA database, such as America/New_York, that this machine knows."""
    return name in _known() and _can_be_loaded(name)


def validate_time_zone(name: str) -> None:
    if not is_time_zone(name):
        raise ValidationError(
            _("“%(zone)s” is not a time zone. Write one such as America/New_York."), params={"zone": name}
        )


@cache
def _known() -> set[str]:
    names = zoneinfo.available_timezones() - NOT_A_PLACE
    return {name for name in names if not name.startswith(OTHER_CLOCKS)}


@cache
def _can_be_loaded(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True
