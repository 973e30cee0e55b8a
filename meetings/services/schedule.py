"""From a series to its dated meetings, and what becomes of them when the series or a date changes."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

import outbox.services as outbox
from audit.services import record
from groups.models import Group
from members.models import Member
from members.time_zones import is_time_zone

from .. import recurrence
from ..models import Meeting, MeetingSeries, Participation, Suspension
from .clashes import Clash, told_as_clash
from .colleagues import tell_colleagues
from .places import hold_group, offer_free_places
from .standing import fill_standing_places_of
from .topics import plan_topics

logger = logging.getLogger(__name__)


class Slot(NamedTuple):
    """What a meeting on one date of a series should look like."""

    series_date: date
    starts_at: datetime
    ends_at: datetime
    mode: str


def extend_series(series: QuerySet[MeetingSeries] | None = None) -> int:
    """Make the dated meetings that are missing in the coming weeks, in bulk. Returns how many were made.

    Without `series`: all that are running. A date that was moved or cancelled is not made again. One for which the
    room, the link or the lead is taken is left out, until it is free: see `dates_left_out`.
    """
    if series is None:
        series = MeetingSeries.objects.running()
    made = 0
    for chunk in _chunks(series.select_related("group").prefetch_related("suspensions"), 500):
        coming = Meeting.objects.filter(series__in=chunk, series_date__gte=timezone.now().date() - timedelta(days=1))
        there = defaultdict(set)
        for series_id, on in coming.values_list("series", "series_date"):
            there[series_id].add(on)
        meetings = [
            _meeting(one, slot) for one in chunk for slot in slots(one) if slot.series_date not in there[one.pk]
        ]
        if not meetings:
            continue
        Meeting.objects.bulk_create(meetings, batch_size=2000, ignore_conflicts=True)
        made += coming.count() - sum(map(len, there.values()))
        groups = {meeting.group_id for meeting in meetings}
        fill_standing_places_of(groups)
        plan_topics(groups)
    return made


def _chunks(series: QuerySet[MeetingSeries], size: int) -> Iterable[list[MeetingSeries]]:
    rows = [one for one in series if _has_a_zone(one)]
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _has_a_zone(series: MeetingSeries) -> bool:
    """False, and a word in the log, for one that nobody can make dates for: it must not stop the others."""
    if is_time_zone(series.time_zone):
        return True
    logger.error("series %s is in no time zone: no dates are made for it", series.pk)
    return False


def slots(series: MeetingSeries) -> list[Slot]:
    """The coming meetings a series should have: from now for so many weeks, less its suspensions."""
    now = timezone.now()
    today = now.astimezone(ZoneInfo(series.time_zone)).date()
    found = []
    for on in series.dates(today, today + timedelta(weeks=settings.WEEKS_AHEAD) - timedelta(days=1)):
        starts_at = series.starts_at(on)
        if starts_at <= now or rest_on(series, on):
            continue
        mode = Group.Mode.ONLINE.value if _is_place_closed(series, on) else series.group.mode
        found.append(Slot(on, starts_at, starts_at + timedelta(minutes=series.minutes), mode))
    return found


def rest_on(series: MeetingSeries, on: date) -> Suspension | None:
    """The suspension by which a series does not meet on a date, if there is one."""
    return next((one for one in series.suspensions.all() if one.covers(on) and not one.place_only), None)


def _is_place_closed(series: MeetingSeries, on: date) -> bool:
    return any(one.covers(on) and one.place_only for one in series.suspensions.all())


def dates_left_out(series: MeetingSeries) -> list[Slot]:
    """The coming dates that should be there and are not: something they need is taken."""
    there = set(Meeting.objects.filter(series=series).values_list("series_date", flat=True))
    return [slot for slot in slots(series) if slot.series_date not in there]


def _meeting(series: MeetingSeries, slot: Slot) -> Meeting:
    meeting = Meeting(series=series, group=series.group, capacity=series.group.capacity)
    _place(meeting, series, slot)
    return meeting


PLACED = ["series_date", "starts_at", "ends_at", "local_date", "local_time", "time_zone", "mode"]


def _place(meeting: Meeting, series: MeetingSeries, slot: Slot) -> None:
    local = slot.starts_at.astimezone(ZoneInfo(series.time_zone))
    meeting.series_date = slot.series_date
    meeting.starts_at, meeting.ends_at = slot.starts_at, slot.ends_at
    meeting.local_date, meeting.local_time = local.date(), local.time()
    meeting.time_zone, meeting.mode = series.time_zone, slot.mode


@transaction.atomic
def follow_series(series: MeetingSeries, *, by: Member | None) -> int:
    """Bring the coming meetings of a changed series in line with it and tell those who were to come.

    A meeting moves with its week; one that has no date any more is dropped if nobody had answered, else cancelled.
    One that was changed by itself keeps its time while its week has a date. Past meetings, cancelled ones and ones that
    still fit are left alone. Returns how many meetings changed. Raises `Clash`, and changes nothing, if a meeting would
    move to where the room, the link or the lead is taken.
    """
    series = MeetingSeries.objects.select_related("group").prefetch_related("suspensions").get(pk=series.pk)
    hold_group(series.group)
    wanted = {slot.series_date: slot for slot in slots(series)}
    standing = _hold_coming(series)
    taken = set(Meeting.objects.filter(series=series, series_date__in=wanted).values_list("series_date", flat=True))
    free = {on: slot for on, slot in wanted.items() if on not in taken}
    changed = 0
    for meeting in standing:
        slot = wanted.get(meeting.series_date) or _take_same_week(free, meeting.series_date)
        if meeting.stands_alone:
            changed += _let_stand(meeting, series, slot, by=by)
        elif slot is None:
            changed += _drop(meeting, series, by=by)
        elif (meeting.starts_at, meeting.ends_at, meeting.mode, meeting.time_zone) != (*slot[1:], series.time_zone):
            _move(meeting, series, slot, by=by)
            changed += 1
    changed += _bring_back(series, wanted, by=by)
    return changed + extend_series(MeetingSeries.objects.filter(pk=series.pk))


@transaction.atomic
def follow_group(group: Group, *, by: Member | None) -> int:
    """Bring the schedules and coming meetings of a group in line with its zone and mode. Returns how many changed."""
    MeetingSeries.objects.filter(group=group).update(time_zone=group.time_zone)
    return sum(follow_series(series, by=by) for series in MeetingSeries.objects.running().filter(group=group))


def _hold_coming(series: MeetingSeries) -> list[Meeting]:
    """The coming meetings of a series as they are now, kept from changing until we are done, the next first."""
    held = Meeting.objects.upcoming().filter(series=series).select_for_update(no_key=True).order_by("pk")
    return sorted(held, key=lambda meeting: meeting.starts_at)


def _bring_back(series: MeetingSeries, wanted: dict[date, Slot], *, by: Member | None) -> int:
    """Take up again, with all answers, what was cancelled only because the schedule had no such date for a while."""
    changed = 0
    lost = Meeting.objects.upcoming_cancelled().filter(series=series, series_date__in=wanted, lost_its_date=True)
    for meeting in lost.in_order():
        _place(meeting, series, wanted[meeting.series_date])
        meeting.stands_alone, meeting.room = False, None
        with told_as_clash(meeting):
            meeting.save(update_fields=[*PLACED, "stands_alone", "room"])
        changed += _take_up(meeting, by=by)
    return changed


def _take_same_week(free: dict[date, Slot], on: date) -> Slot | None:
    for other in sorted(free):
        if other.isocalendar()[:2] == on.isocalendar()[:2]:
            return free.pop(other)
    return None


def _let_stand(meeting: Meeting, series: MeetingSeries, slot: Slot | None, *, by: Member | None) -> bool:
    """Keep the time of a date that was changed by itself, in a zone that may be another; False if nothing changed.

    It is off if the group rests on the day it was moved to, or if its week has no date any more. The date of the rule
    it stands for may have passed meanwhile: that takes nothing from it.
    """
    if rest := rest_on(series, meeting.local_date):
        return cancel_meeting(meeting, by=by, reason=rest.reason, suspension=rest)
    if slot is None and not series.dates(meeting.series_date, meeting.series_date):
        return _drop(meeting, series, by=by)
    is_elsewhere = meeting.mode != Group.Mode.ONLINE and _is_place_closed(series, meeting.local_date)
    if slot and slot.series_date != meeting.series_date:
        meeting.series_date = slot.series_date
        meeting.save(update_fields=["series_date"])
    if meeting.time_zone == series.time_zone and not is_elsewhere:
        return False
    starts_at = recurrence.starts_at(meeting.local_date, meeting.local_time, series.time_zone)
    mode = Group.Mode.ONLINE.value if is_elsewhere else meeting.mode
    as_it_was = timedelta(minutes=meeting.minutes)
    _move(meeting, series, Slot(meeting.series_date, starts_at, starts_at + as_it_was, mode), by=by)
    return True


def _drop(meeting: Meeting, series: MeetingSeries, *, by: Member | None) -> bool:
    suspension = next((s for s in series.suspensions.all() if s.covers(meeting.series_date)), None)
    if suspension is None and not meeting.participations.exists():
        meeting.delete()
        return True
    if suspension:
        return cancel_meeting(meeting, by=by, reason=suspension.reason, suspension=suspension)
    return cancel_meeting(meeting, by=by, reason="", lost_its_date=True)


def _move(meeting: Meeting, series: MeetingSeries, slot: Slot, *, by: Member | None) -> None:
    _place(meeting, series, slot)
    save_moved(meeting, PLACED, by=by)


def save_moved(meeting: Meeting, fields: list[str], *, by: Member | None) -> None:
    """Write a meeting at its new time or place and tell those who were to come."""
    meeting.sequence += 1
    meeting.changed_at = timezone.now()
    with told_as_clash(meeting):
        meeting.save(update_fields=[*fields, "sequence", "changed_at"])
    offers = Participation.objects.filter(meeting=meeting, offer_expires_at__gt=meeting.starts_at)
    offers.update(offer_expires_at=meeting.starts_at)
    record("meeting.moved", meeting, by=by)
    _tell("moved", meeting, by=by)


@transaction.atomic
def cancel_meeting(
    meeting: Meeting,
    *,
    by: Member | None,
    reason: str,
    suspension: Suspension | None = None,
    lost_its_date: bool = False,
) -> bool:
    """Cancel a meeting and tell those who were coming or in line. False if it was no longer scheduled."""
    scheduled = Meeting.objects.filter(pk=meeting.pk, status=Meeting.Status.SCHEDULED)
    if not scheduled.update(
        status=Meeting.Status.CANCELLED,
        cancel_reason=reason,
        suspension=suspension,
        lost_its_date=lost_its_date,
        sequence=F("sequence") + 1,
        changed_at=timezone.now(),
    ):
        return False
    meeting.refresh_from_db(fields=["status", "cancel_reason", "suspension", "sequence", "changed_at", "substitute"])
    record("meeting.cancelled", meeting, by=by)
    _tell("cancelled", meeting, by=by)
    return True


@transaction.atomic
def cancel_meetings(meetings: Iterable[Meeting], *, by: Member, reason: str) -> list[Meeting]:
    """Cancel those of these that are still to come; colleagues hear of it once. Returns the ones that are off now."""
    meetings = list(meetings)
    rows = Meeting.objects.filter(pk__in=[one.pk for one in meetings]).select_for_update(no_key=True).order_by("pk")
    coming = {one.pk for one in rows if one.is_open}
    return [one for one in meetings if one.pk in coming and cancel_meeting(one, by=by, reason=reason)]


@transaction.atomic
def take_up_meeting(meeting: Meeting, *, by: Member | None) -> bool:
    """Hold a cancelled meeting after all: tell those who had a place or wait for one, and offer what is free.

    A pause of its group that covers it is parted around it. False if it is not cancelled or has begun. Raises `Clash`
    if somebody else has the room, the link or the lead by now.
    """
    if meeting.has_begun or not _take_up(meeting, by=by):
        return False
    for suspension in meeting.series.suspensions.all():
        if not suspension.place_only and suspension.covers(meeting.local_date):
            _part(suspension, meeting.local_date)
    return True


def _part(suspension: Suspension, on: date) -> None:
    """Take one date out of a suspension. What stays of it after that date goes on as the same suspension."""
    day = timedelta(days=1)
    if suspension.from_on < on:
        before = Suspension.objects.get(pk=suspension.pk)
        before.pk, before.until_on, before.is_from_feed = None, on - day, False
        before.save()
        Meeting.objects.filter(suspension=suspension, local_date__lt=on).update(suspension=before)
    if suspension.until_on == on:
        suspension.delete()
    else:
        suspension.from_on = on + day
        suspension.save(update_fields=["from_on"])


def _take_up(meeting: Meeting, *, by: Member | None) -> bool:
    cancelled = Meeting.objects.filter(pk=meeting.pk, status=Meeting.Status.CANCELLED)
    with told_as_clash(meeting):
        if not cancelled.update(
            status=Meeting.Status.SCHEDULED,
            cancel_reason="",
            suspension=None,
            lost_its_date=False,
            sequence=F("sequence") + 1,
            changed_at=timezone.now(),
        ):
            return False
    meeting.refresh_from_db()
    record("meeting.on_again", meeting, by=by)
    _tell("on_again", meeting, by=by)
    offer_free_places(meeting)
    return True


def _tell(kind: str, meeting: Meeting, *, by: Member | None) -> None:
    """Write to those who were to come, and to those who run it with whoever changed it.

    Each change of a meeting is news of its own, also back to what it was before.
    """
    concerned = Participation.objects.filter(meeting=meeting).expecting_to_come()
    outbox.queue(
        kind,
        list(concerned.values_list("member", flat=True)),
        about_id=meeting.pk,
        fact=f"{meeting.starts_at.isoformat()}/{meeting.sequence}",
        expires_at=meeting.ends_at,
    )
    tell_colleagues(meeting, by=by)


@transaction.atomic
def suspend_series(
    series: MeetingSeries,
    *,
    by: Member | None,
    from_on: date,
    until_on: date | None = None,
    place_only: bool = False,
    reason: str = "",
) -> Suspension:
    """Let a series rest from one date, until another (included) or until resumed; tell those who were to come."""
    suspension = Suspension.objects.create(
        series=series, from_on=from_on, until_on=until_on, place_only=place_only, reason=reason
    )
    record("series.suspended", series, by=by)
    follow_series(series, by=by)
    return suspension


@transaction.atomic
def resume_series(series: MeetingSeries, *, by: Member | None, on: date) -> bool:
    """End the suspensions of a series from a date and take up its meetings again. False if there were none."""
    ended = [one for one in series.suspensions.all() if one.covers(on) or one.from_on >= on]
    for suspension in ended:
        _end(suspension, by=by, on=on)
    if ended:
        record("series.resumed", series, by=by)
        follow_series(series, by=by)
    return bool(ended)


@transaction.atomic
def end_suspension(suspension: Suspension, *, by: Member, on: date) -> bool:
    """Let a series go on from a date, before this one suspension says so. False if it is over or gone by then."""
    there = Suspension.objects.select_related("series").filter(pk=suspension.pk).first()
    if there is None or (there.until_on and there.until_on < on):
        return False
    _end(there, by=by, on=on)
    record("series.resumed", there.series, by=by)
    follow_series(there.series, by=by)
    return True


def _end(suspension: Suspension, *, by: Member | None, on: date) -> None:
    """From a date on. A meeting whose room, link or lead somebody else has by now stays cancelled."""
    for meeting in Meeting.objects.upcoming_cancelled().filter(suspension=suspension, local_date__gte=on).in_order():
        with suppress(Clash):
            _take_up(meeting, by=by)
    if suspension.from_on >= on:
        suspension.delete()
    else:
        suspension.until_on = on - timedelta(days=1)
        suspension.save(update_fields=["until_on"])
