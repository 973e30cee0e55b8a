"""The next dates of a group in words: as they are, or as they would be after a change that is done and taken back.

Because the change itself is rehearsed, what is shown before saving is what saving does: who is told, too.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from groups.models import Group
from outbox.models import Email

from .. import wording
from ..models import Meeting, MeetingSeries
from .clashes import Clash, Taken, find_taken, say
from .schedule import Slot, dates_left_out, rest_on

SHOWN = 12
NEWS = ("moved", "cancelled", "on_again")


@dataclass
class Row:
    """One date: when, what about it in words, and how many people are told of that."""

    local_start: datetime
    what: str = ""
    tone: str = "same"  # or changed, off, problem
    note: str = ""  # of the clocks
    told: int = 0
    meeting: Meeting | None = None
    group: Group | None = None

    @property
    def when(self) -> str:
        return wording.moment(self.local_start)


@dataclass
class Rehearsal:
    rows: list[Row] = field(default_factory=list)
    people_told: int = 0
    changes: int = 0
    clash: str = ""  # why it cannot be done: nothing else is known then


def upcoming_dates(group: Group) -> list[Row]:
    """The next twelve dates, with those that are off, paused or left out."""
    return _shown(_rows(group, _coming([group]), None, Counter()))


def rehearse(groups: Iterable[Group], change: Callable[[], object]) -> Rehearsal:
    """What a change would do to the coming dates of some groups. Nothing has changed when this returns."""
    groups = list(groups)
    before = _coming(groups)
    earlier = {pk for pk, _about, _to in _news(before)}
    found = Rehearsal()
    with transaction.atomic():
        try:
            with transaction.atomic():
                change()
            after = _coming(groups)
            news = [(about, to) for pk, about, to in _news(before | after) if pk not in earlier]
            found.people_told = len({to for _about, to in news})
            told = Counter(about for about, _to in news)
            for group in groups:
                rows = _rows(group, after, before, told)
                found.changes += sum(row.tone in ("changed", "off") for row in rows if row.told or row.what)
                found.rows += _shown(rows)
        except Clash as clash:
            found.clash = str(clash)
        transaction.set_rollback(True)
    return found


def _coming(groups: list[Group]) -> dict[UUID, Meeting]:
    meetings = Meeting.objects.upcoming_or_cancelled().filter(group__in=groups)
    return {one.pk: one for one in meetings.select_related("group", "topic", "series", "room", "substitute").in_order()}


def _news(meetings: dict[UUID, Meeting]) -> list[tuple]:
    return list(Email.objects.filter(kind__in=NEWS, about_id__in=meetings).values_list("pk", "about_id", "recipient"))


def _shown(rows: list[Row]) -> list[Row]:
    """The first twelve, with a word where the clocks change between them."""
    rows = sorted(rows, key=lambda row: row.local_start)[:SHOWN]
    for earlier, row in pairwise(rows):
        if earlier.group == row.group and earlier.local_start.utcoffset() != row.local_start.utcoffset():
            row.note = _("The clocks change before this date. The time on the wall stays as planned.")
    return rows


def _rows(group: Group, after: dict, before: dict | None, told: Counter) -> list[Row]:
    now = [one for one in after.values() if one.group_id == group.pk]
    rows = [_row(one, before, told) for one in now]
    for gone in (before or {}).values():
        if gone.group_id == group.pk and gone.pk not in after and gone.status == Meeting.Status.SCHEDULED:
            rows.append(Row(gone.local_start, _("No longer planned. Nobody had answered."), "off"))
    for series in MeetingSeries.objects.not_over().filter(group=group).prefetch_related("suspensions"):
        series.group = group
        there = {one.series_date for one in now if one.series_id == series.pk}
        rows += _paused(series, there) + _left_out(series)
    for row in rows:
        row.group = group
    return rows


def _row(meeting: Meeting, before: dict | None, told: Counter) -> Row:
    row = Row(meeting.local_start, meeting=meeting, told=told[meeting.pk])
    was = (before or {}).get(meeting.pk)
    if meeting.status == Meeting.Status.CANCELLED:
        row.what, row.tone = _("Cancelled"), "off"
        if meeting.cancel_reason:
            row.what = _("Cancelled: %(reason)s") % {"reason": meeting.cancel_reason}
        if was and was.status == meeting.status:
            row.tone = "same"
    elif before is None:
        row.what = _("Changed by itself: keeps its time when the schedule changes") if meeting.stands_alone else ""
    elif was is None:
        row.what, row.tone = _("New date"), "changed"
    elif was.status != meeting.status:
        row.what, row.tone = _("Takes place after all"), "changed"
    elif was.starts_at != meeting.starts_at:
        row.what, row.tone = _("Moved from %(when)s") % {"when": wording.when(was)}, "changed"
    elif (was.ends_at, was.mode, was.room_id) != (meeting.ends_at, meeting.mode, meeting.room_id):
        row.what, row.tone = _("Another length or place"), "changed"
    if _is_skipped_by_the_clock(meeting):
        row.note = _("The clocks skip the planned time on this day, so it begins an hour later.")
    return row


def _is_skipped_by_the_clock(meeting: Meeting) -> bool:
    if meeting.stands_alone or not meeting.is_open:
        return False
    planned = meeting.series.starts_at(meeting.series_date).astimezone(meeting.zone)
    return planned.time() != meeting.series.start_time


def _paused(series: MeetingSeries, there: set) -> list[Row]:
    """Dates that are in nobody's calendar because the group rests."""
    today = timezone.now().astimezone(ZoneInfo(series.time_zone)).date()
    rows = []
    for on in series.dates(today, today + timedelta(weeks=settings.WEEKS_AHEAD)):
        rest = rest_on(series, on)
        starts_at = series.starts_at(on)
        if rest and on not in there and starts_at > timezone.now():
            what = _("Paused: %(reason)s") % {"reason": rest.reason} if rest.reason else _("Paused")
            rows.append(Row(starts_at.astimezone(ZoneInfo(series.time_zone)), what, "off"))
    return rows


def _left_out(series: MeetingSeries) -> list[Row]:
    slots = dates_left_out(series)
    zone = ZoneInfo(series.time_zone)
    return [
        Row(slot.starts_at.astimezone(zone), _why(slot, taken, zone), "problem")
        for slot, taken in zip(slots, find_taken(series.group, slots), strict=True)
    ]


def _why(slot: Slot, taken: Taken | None, zone: ZoneInfo) -> str:
    if taken is None:
        return _("Not planned yet. It is added within the hour.")
    return _("Left out. %(why)s") % {"why": say(taken.what, wording.moment_short(slot.starts_at.astimezone(zone)))}
