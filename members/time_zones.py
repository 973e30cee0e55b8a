"""Which names of time zones can be trusted to mean the same to Python, to PostgreSQL and to the people of a group."""

import zoneinfo
from functools import cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

NOT_A_PLACE = {"localtime", "Factory"}  # in Debian's directory of zones, and no names that IANA gives a place
OTHER_CLOCKS = ("posix/", "right/")  # copies of every zone; those of "right" count leap seconds
OLD_NAMES = ("Etc/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/", "SystemV/")

# What people in the United States call theirs.
COMMON = {
    "America/New_York": _("Eastern time"),
    "America/Chicago": _("Central time"),
    "America/Denver": _("Mountain time"),
    "America/Phoenix": _("Arizona"),
    "America/Los_Angeles": _("Pacific time"),
    "America/Anchorage": _("Alaska"),
    "Pacific/Honolulu": _("Hawaii"),
    "America/Puerto_Rico": _("Puerto Rico"),
}


def is_time_zone(name: str) -> bool:
    """Whether it is a name from the IANA database, such as America/New_York, that this machine knows."""
    return name in _known() and _can_be_loaded(name)


def validate_time_zone(name: str) -> None:
    if not is_time_zone(name):
        raise ValidationError(
            _("“%(zone)s” is not a time zone. Write one such as America/New_York."), params={"zone": name}
        )


def to_choose_from() -> list[tuple[str, str]]:
    """Names and what to call them, the common ones first."""
    return [(name, str(words)) for name, words in COMMON.items()] + _cities()


def find_time_zone(words: str) -> str:
    """The name meant by what somebody typed: in any case, with spaces, or by what it is commonly called. "" if none."""
    plain = _plain(words)
    by_words = {_plain(str(called)): name for name, called in COMMON.items()}
    found = by_words.get(plain) or _by_plain_name().get(plain, "")
    return found if is_time_zone(found) else ""


def _plain(words: str) -> str:
    return " ".join(words.replace("_", " ").split()).casefold()


@cache
def _by_plain_name() -> dict[str, str]:
    return {_plain(name): name for name in _known()}


@cache
def _cities() -> list[tuple[str, str]]:
    names = sorted(name for name in _known() if "/" in name and not name.startswith(OLD_NAMES) and name not in COMMON)
    return [(name, name.split("/", 1)[1].replace("_", " ").replace("/", ", ")) for name in names]


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
