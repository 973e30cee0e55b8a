"""Changing a schedule: this date, this and later ones, or all; and what can be taken back.

Answers stay with their meeting, whichever schedule it comes to belong to, and each person is told once of what changes
for them.
"""

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.services import record
from groups.models import Group, Room, Topic
from members.models import Member

from .. import recurrence
from ..models import Meeting, MeetingSeries, Suspension
from .places import hold_group
from .schedule import follow_series, save_moved, suspend_series

RULE = ("weekdays", "start_time", "minutes", "every_n_weeks", "nth_of_month", "until_on")


@transaction.atomic
def move_meeting(
    meeting: Meeting, *, by: Member, on: date, at: time, minutes: int, mode: str, room: Room | None = None
) -> bool:
    """Give one date another day, time, length, room or way of meeting, and tell those who were to come.

    From then on it keeps that when its schedule changes. False if it has begun, is off, would begin in the past, or is
    so already. Raises `Clash` if the room, the link or the lead is taken then.
    """
    hold_group(meeting.group)
    held = Meeting.objects.upcoming().select_for_update(no_key=True).filter(pk=meeting.pk).first()
    starts_at = recurrence.starts_at(on, at, meeting.time_zone)
    ends_at = starts_at + timedelta(minutes=minutes)
    if held is None or starts_at <= timezone.now():
        return False
    if (held.starts_at, held.ends_at, held.mode, held.room_id) == (starts_at, ends_at, mode, room and room.pk):
        return False
    held.starts_at, held.ends_at, held.mode, held.room = starts_at, ends_at, mode, room
    local = starts_at.astimezone(held.zone)
    held.local_date, held.local_time, held.stands_alone = local.date(), local.time(), True
    fields = ["starts_at", "ends_at", "local_date", "local_time", "mode", "room", "stands_alone"]
    save_moved(held, fields, by=by)
    return True


@transaction.atomic
def put_back_meeting(meeting: Meeting, *, by: Member) -> bool:
    """Undo: let a date that was changed by itself go by its schedule again. False if it does so or has begun."""
    alone = Meeting.objects.upcoming().filter(pk=meeting.pk, stands_alone=True)
    if not alone.update(stands_alone=False, room=None):
        return False
    follow_series(meeting.series, by=by)
    return True


@transaction.atomic
def change_all_dates(series: MeetingSeries, *, by: Member, **rule: Any) -> int:
    """Give a schedule another rule for all its coming dates. What is past stays. Returns how many dates changed."""
    changed = {name: rule[name] for name in RULE if name in rule and rule[name] != getattr(series, name)}
    if not changed:
        return 0
    hold_group(series.group)
    MeetingSeries.objects.filter(pk=series.pk).update(**changed)
    record("series.changed", series, by=by, fields=sorted(changed))
    return follow_series(series, by=by)


@transaction.atomic
def change_later_dates(series: MeetingSeries, *, by: Member, since: date, **rule: Any) -> MeetingSeries:
    """Give a schedule another rule from one of its dates on: it ends before, and a new one that came from it goes on.

    The meetings from then on, with all answers, and what remains of its pauses, pass to the new one. Returns the
    schedule that is in force from then on: the same one if nothing of it lies before.
    """
    hold_group(series.group)
    series = MeetingSeries.objects.select_related("group").get(pk=series.pk)
    if not series.dates(series.from_on, since - timedelta(days=1)):
        change_all_dates(series, by=by, **rule)
        return series
    new = _begin_anew(series, since, rule)
    record("series.changed", new, by=by, fields=sorted(rule), since=since.isoformat())
    follow_series(new, by=by)
    return new


def _begin_anew(series: MeetingSeries, since: date, rule: dict[str, Any]) -> MeetingSeries:
    later = getattr(series, "went_on_as", None)
    if later:  # who looks for what followed finds the new one in between
        MeetingSeries.objects.filter(pk=later.pk).update(came_from=None)
    new = MeetingSeries.objects.get(pk=series.pk)
    new.pk, new.came_from = None, series
    for name in RULE:
        setattr(new, name, rule.get(name, getattr(series, name)))
    new.from_on = _first_day(series, since, new.weekdays)
    new.save()
    if later:
        MeetingSeries.objects.filter(pk=later.pk).update(came_from=new)
    last_day = since - timedelta(days=1)
    MeetingSeries.objects.filter(pk=series.pk).update(until_on=last_day)
    Meeting.objects.filter(series=series, series_date__gte=since).update(series=new)
    _share_suspensions(series, new, since)
    return new


def _first_day(series: MeetingSeries, since: date, weekdays: list[int]) -> date:
    """From when the new rule counts: a date that moves to an earlier day of its week begins that week."""
    monday = since - timedelta(days=since.weekday())
    moves_back = all(day < since.weekday() for day in weekdays)
    return monday if moves_back and not series.dates(monday, since - timedelta(days=1)) else since


def _share_suspensions(series: MeetingSeries, new: MeetingSeries, since: date) -> None:
    for suspension in Suspension.objects.filter(series=series):
        if suspension.until_on and suspension.until_on < since:
            continue
        before = suspension.from_on < since
        rest = Suspension.objects.get(pk=suspension.pk)
        if before:  # both have a part of it
            rest.pk, rest.from_on = None, since
            suspension.until_on, suspension.is_from_feed = since - timedelta(days=1), False
            suspension.save(update_fields=["until_on", "is_from_feed"])
        rest.series = new
        rest.save()
        Meeting.objects.filter(suspension=suspension, series=new).update(suspension=rest)


@transaction.atomic
def undo_later_dates(series: MeetingSeries, *, by: Member) -> MeetingSeries | None:
    """Take back a change of this and later dates: the schedule before it goes on as it was, with all meetings.

    None once a date of the new schedule has begun, or if it came from none.
    """
    earlier = series.came_from
    if earlier is None:
        return None
    hold_group(series.group)
    series = MeetingSeries.objects.get(pk=series.pk)
    if Meeting.objects.filter(series=series, starts_at__lte=timezone.now()).exists():
        return None
    later = getattr(series, "went_on_as", None)
    Meeting.objects.filter(series=series).update(series=earlier)
    Suspension.objects.filter(series=series).update(series=earlier)
    until_on, pk = series.until_on, series.pk
    MeetingSeries.objects.filter(pk=pk).delete()
    if later:
        MeetingSeries.objects.filter(pk=later.pk).update(came_from=earlier)
    MeetingSeries.objects.filter(pk=earlier.pk).update(until_on=until_on)
    earlier.refresh_from_db()
    record("series.undone", earlier, by=by)
    follow_series(earlier, by=by)
    return earlier


@transaction.atomic
def cancel_range(
    groups: Iterable[Group], *, by: Member, from_on: date, until_on: date, reason: str
) -> list[Suspension]:
    """Let some groups rest from one day to another, both included, as on a holiday; those who were to come are told.

    Dates that are not planned yet are left out as well, also those of a schedule that changes later. What rests on all
    these days already is left as it is.
    """
    ids = sorted({group.pk for group in groups})
    resting = []
    for series in MeetingSeries.objects.not_over().filter(group__in=ids).prefetch_related("suspensions"):
        is_over = series.until_on is not None and series.until_on < from_on
        if is_over or _rests_throughout(series, from_on, until_on):
            continue
        resting.append(suspend_series(series, by=by, from_on=from_on, until_on=until_on, reason=reason))
    return resting


def _rests_throughout(series: MeetingSeries, first: date, last: date) -> bool:
    return any(one.covers(first) and one.covers(last) and not one.place_only for one in series.suspensions.all())


@transaction.atomic
def choose_topics(group: Group, topics: dict[UUID, Topic | None], *, by: Member) -> int:
    """Choose the topics of some coming dates at once. Returns how many changed."""
    planned = Meeting.objects.upcoming().filter(group=group).select_for_update(no_key=True).order_by("pk")
    changed = []
    for meeting in planned.filter(pk__in=topics):
        wanted = topics[meeting.pk]
        if meeting.topic_id != (wanted and wanted.pk):
            meeting.topic = wanted
            changed.append(meeting)
    Meeting.objects.bulk_update(changed, ["topic"])
    if changed:
        record("group.topics_planned", group, by=by, dates=len(changed))
    return len(changed)
