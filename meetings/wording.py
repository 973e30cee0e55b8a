"""Times and places as people read them, the same in lists, pages and mails."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from groups.models import Group

from .models import Meeting, MeetingSeries


def clock(moment: datetime) -> str:
    """`6:30 pm` in English, `18:30` in Spanish."""
    if (get_language() or "en").startswith("en"):
        return format_date(moment, "g:i a").replace(".", "")
    return format_date(moment, "H:i")


def day(moment: date) -> str:
    """`Tuesday, December 1`."""
    return format_date(moment, _("l, F j"))


def full_day(moment: date) -> str:
    """`December 1, 2026`."""
    return format_date(moment, _("F j, Y"))


def when(meeting: Meeting) -> str:
    """`Tuesday, December 1, 6:30 pm (PST)`: always with its zone."""
    return moment(meeting.local_start)


def moment(local: datetime) -> str:
    return _("%(day)s, %(time)s (%(zone)s)") % {"day": day(local), "time": clock(local), "zone": local.tzname()}


def own_time(meeting: Meeting, zone: ZoneInfo | None) -> str:
    """The start in the reader's own zone; nothing if the clock there says the same, or nobody knows where that is."""
    if zone is None:
        return ""
    own = meeting.starts_at.astimezone(zone)
    return "" if own.replace(tzinfo=None) == meeting.local_start.replace(tzinfo=None) else moment(own)


def for_you(local: datetime, zone: ZoneInfo | None) -> str:
    """`4:30 pm (CST) for you`, with its day if that is another; nothing where the clocks agree or nobody said."""
    if zone is None or (start := local.astimezone(zone)).utcoffset() == local.utcoffset():
        return ""
    words = {"time": clock(start), "zone": start.tzname(), "weekday": format_date(start, "l")}
    if start.date() != local.date():
        return _("%(weekday)s %(time)s (%(zone)s) for you") % words
    return _("%(time)s (%(zone)s) for you") % words


def zone_name(zone: str) -> str:
    """`Los Angeles time`; a zone without a place, such as `UTC`, by its own name."""
    region, _slash, city = zone.rpartition("/")
    return _("%(city)s time") % {"city": city.replace("_", " ")} if region not in ("", "Etc") else zone


def when_short(meeting: Meeting) -> str:
    """`Tue 6:30 pm (PST)`, for a subject line: on a small locked phone there is room for the hour, too."""
    return moment_short(meeting.local_start)


def moment_short(local: datetime) -> str:
    return _("%(weekday)s %(time)s (%(zone)s)") % {
        "weekday": format_date(local, "D"),
        "time": clock(local),
        "zone": local.tzname(),
    }


def place(meeting: Meeting) -> str:
    """`Community house, 12 Hidden Lane`, or `online`: for those who may know."""
    where = [meeting.group.place, meeting.group.address] if meeting.mode != Group.Mode.ONLINE else []
    return ", ".join(filter(None, where)) or meeting.get_mode_display()


def places(meeting: Meeting) -> str:
    if meeting.places_left:
        return ngettext("%(count)s place left", "%(count)s places left", meeting.places_left) % {
            "count": meeting.places_left
        }
    return _("full, with a waiting list")


def pattern(series: MeetingSeries) -> str:
    """`Tuesdays, 6:30 pm`; `every 2 weeks: Tuesday, 6:30 pm`."""
    names = ", ".join(str(dict(MeetingSeries.WEEKDAYS)[number]) for number in series.weekdays)
    start = clock(datetime.combine(series.from_on, series.start_time))
    if series.nth_of_month:
        nth = dict(MeetingSeries.NTH)[series.nth_of_month]
        return _("%(nth)s %(days)s of the month, %(time)s") % {"nth": nth, "days": names, "time": start}
    if series.every_n_weeks > 1:
        return _("every %(count)s weeks: %(days)s, %(time)s") % {
            "count": series.every_n_weeks,
            "days": names,
            "time": start,
        }
    return _("every %(days)s, %(time)s") % {"days": names, "time": start}
