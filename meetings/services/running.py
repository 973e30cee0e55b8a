"""Running a meeting. Each tap names the state it saw: of two counselors who tap at once, one is told how it stands now.

Whoever shares, passes or is asked later is kept only as long as the meeting; who came is for the roster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit.services import record
from members.models import Member

from ..models import Meeting, MeetingRun, Participation, Turn
from .roster import add_anonymous_walk_in, clear_attendance, record_attendance, remove_anonymous_walk_in

Tap = MeetingRun.Tap
State = Turn.State
TURNS_KEPT = timedelta(hours=12)  # after a meeting, so that its last tap can still be taken back
MOMENTS = ("part_started_at", "share_started_at", "paused_at", "ended_at")
FACTS = (*MOMENTS, "parts", "part", "share_seconds")


def may_start(meeting: Meeting) -> bool:
    """From an hour before its start until its end, if it is not off."""
    return meeting.roster_is_open and not meeting.is_over


@transaction.atomic
def start_run(meeting: Meeting, *, by: Member) -> bool:
    """Begin with the first part of the group's own sequence; marks nobody as here. False if it runs already, or may
    not."""
    if not may_start(meeting):
        return False
    now = timezone.now()
    parts = [[phase.kind, phase.minutes, phase.about] for phase in meeting.group.sequence(meeting.minutes)]
    moments = {"started_at": now, "part_started_at": now, "changed_at": now}
    _run, is_new = MeetingRun.objects.get_or_create(
        meeting=meeting, defaults={"parts": parts, "changed_by": by, **moments}
    )
    if is_new:
        record("run.started", meeting, by=by)
    return is_new


@transaction.atomic
def tap_run(meeting: Meeting, tap: str, *, whom: str = "", seen: int, by: Member) -> bool:
    """Do what one button of the run page says. False, and nothing changed, if the run is no longer as it was `seen`,
    or if the tap does not fit. `whom` is a key such as `p12` (see `speaking_order.Place`).
    """
    run = MeetingRun.objects.filter(meeting=meeting).seen_at(seen).select_for_update(no_key=True).first()
    if run is None or not (run.is_on or tap == Tap.UNDO):
        return False
    change = _Change(run, meeting, whom, by, now=timezone.now(), before={name: getattr(run, name) for name in FACTS})
    seat_everybody(run)
    if not _DO[tap](change):
        transaction.set_rollback(True)
        return False
    seat_everybody(run)
    run.version += 1
    run.last_tap, run.changed_at, run.changed_by = tap, change.now, by
    run.before = None if tap == Tap.UNDO else {"run": change.before, "turns": change.turns, **change.more}
    run.save()
    record("run.ended" if tap == Tap.END else "run.tapped", meeting, by=by, tap=tap, version=run.version)
    return True


def seat_everybody(run: MeetingRun) -> None:
    """Give a turn to everybody who is here and has none, in the order in which they were marked."""
    last = Turn.objects.filter(run=run).aggregate(last=Max("position"))["last"] or 0
    newcomers = Participation.objects.in_the_room(run.meeting_id).filter(turn=None).order_by("recorded_at", "pk")
    seats = [Turn(run=run, participation=one) for one in newcomers]
    headcount = Meeting.objects.values_list("headcount", flat=True).get(pk=run.meeting_id)
    known = set(Turn.objects.filter(run=run, guest__isnull=False).values_list("guest", flat=True))
    seats += [Turn(run=run, guest=number) for number in range(1, headcount + 1) if number not in known]
    for position, turn in enumerate(seats, start=last + 1):
        turn.position = position
    Turn.objects.bulk_create(seats, ignore_conflicts=True)


def forget_turns() -> int:
    """Forget who shared and who passed, some hours after each meeting. Returns how many turns."""
    runs = MeetingRun.objects.over_since(timezone.now() - TURNS_KEPT)
    forgotten, _by_model = Turn.objects.filter(run__in=runs).delete()
    runs.exclude(before=None).update(before=None)
    return forgotten


# --- What members do themselves: none of it makes a counselor's tap stale -------------------------------------------


@transaction.atomic
def raise_hand(meeting: Meeting, *, by: Member) -> bool:
    """False if the meeting does not run, or their hand is up."""
    turn = _own_turn(meeting, by)
    return bool(turn and Turn.objects.filter(pk=turn.pk, hand_raised_at=None).update(hand_raised_at=timezone.now()))


@transaction.atomic
def lower_hand(meeting: Meeting, *, by: Member) -> bool:
    mine = Turn.objects.filter(run=meeting.pk, participation__member=by, hand_raised_at__isnull=False)
    return bool(mine.update(hand_raised_at=None))


@transaction.atomic
def pass_today(meeting: Meeting, *, by: Member) -> bool:
    """Not to be asked in this meeting. False if it does not run, or they share just now or have done so."""
    turn = _own_turn(meeting, by)
    may_pass = [State.WAITING, State.COME_BACK, State.PASSED]
    mine = Turn.objects.filter(pk=turn.pk, state__in=may_pass) if turn else Turn.objects.none()
    return bool(mine.update(state=State.NOT_TODAY, hand_raised_at=None))


@transaction.atomic
def share_after_all(meeting: Meeting, *, by: Member) -> bool:
    """Take back “not today”. False if that is not how they stand."""
    turn = _own_turn(meeting, by)
    mine = Turn.objects.filter(pk=turn.pk, state=State.NOT_TODAY) if turn else Turn.objects.none()
    return bool(mine.update(state=State.WAITING))


@transaction.atomic
def show_name(meeting: Meeting, *, by: Member) -> bool:
    """Let the others in this meeting read one's display name, until it ends (OPS-10: their own choice)."""
    turn = _own_turn(meeting, by)
    return bool(turn and Turn.objects.filter(pk=turn.pk, shows_name=False).update(shows_name=True))


@transaction.atomic
def hide_name(meeting: Meeting, *, by: Member) -> bool:
    mine = Turn.objects.filter(run=meeting.pk, participation__member=by, shows_name=True)
    return bool(mine.update(shows_name=False))


@transaction.atomic
def tell_milestone(meeting: Meeting, milestone: str, *, by: Member) -> bool:
    """Let whoever runs the meeting know of a milestone, until it ends (OPS-20). “” takes it back. False if it does not
    run, or they know it already.
    """
    if milestone and _own_turn(meeting, by) is None:
        return False
    mine = Turn.objects.filter(run=meeting.pk, participation__member=by).exclude(milestone=milestone)
    return bool(mine.update(milestone=milestone))


def _own_turn(meeting: Meeting, member: Member) -> Turn | None:
    """Their turn in a meeting that runs, made if they have none yet. None without a place there."""
    run = MeetingRun.objects.filter(meeting=meeting, ended_at=None).first()
    mine = Participation.objects.welcome_in_room(meeting.pk).filter(member=member).first()
    if run is None or mine is None:
        return None
    last = Turn.objects.filter(run=run).aggregate(last=Max("position"))["last"] or 0
    turn, _is_new = Turn.objects.get_or_create(participation=mine, defaults={"run": run, "position": last + 1})
    return turn


# --- Each tap of a counselor: changes the run it is given, and says whether it fitted ---------------------------------


@dataclass
class _Change:
    """One tap under way, with what is needed to take it back."""

    run: MeetingRun
    meeting: Meeting
    whom: str
    by: Member
    now: datetime
    before: dict
    turns: list[tuple[int, str, str]] = field(default_factory=list)
    more: dict = field(default_factory=dict)

    def turn(self) -> Turn | None:
        """The turn of whom it is about, if that is somebody in this meeting."""
        kind, number = self.whom[:1], self.whom[1:]
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            return None
        whose = {"p": "participation", "g": "guest"}.get(kind)
        return self.run.turns.filter(**{whose: int(number)}).first() if whose else None

    def move(self, turn: Turn | None, state: State, *, since: Sequence[str]) -> bool:
        """Compare and set: a member may have passed a moment ago."""
        if turn is None or turn.state not in since or turn.state == state:
            return False
        if not Turn.objects.filter(pk=turn.pk, state=turn.state).update(state=state, hand_raised_at=None):
            return False
        self.turns.append((turn.pk, turn.state, state))
        return True

    def end_share(self, state: State = State.DONE) -> bool:
        self.run.share_started_at = None
        return self.move(self.run.turns.speaking().first(), state, since=[State.SPEAKING])


def _next_part(change: _Change) -> bool:
    return not change.run.is_last_part and _go_to_part(change, change.run.part + 1)


def _previous_part(change: _Change) -> bool:
    return change.run.part > 0 and _go_to_part(change, change.run.part - 1)


def _go_to_part(change: _Change, part: int) -> bool:
    change.end_share()
    change.run.part, change.run.part_started_at, change.run.paused_at = part, change.now, None
    return True


def _speak(change: _Change) -> bool:
    turn = change.turn()
    if turn is None or turn.state == State.SPEAKING:
        return False
    change.end_share()
    if not change.move(turn, State.SPEAKING, since=[state for state in State.values if state != State.SPEAKING]):
        return False
    run = change.run
    if run.paused_at:
        _go_on(change)
    run.share_started_at, run.share_seconds = change.now, change.meeting.group.share_minutes * 60
    return True


def _done(change: _Change) -> bool:
    return change.end_share()


def _leave_order(state: State) -> Callable[[_Change], bool]:
    """Passing, not today, and coming back later: of somebody still to come, or of whoever shares now."""

    def leave(change: _Change) -> bool:
        turn = change.turn()
        if turn is not None and turn.state == State.SPEAKING:
            return change.end_share(state)
        return change.move(turn, state, since=[State.WAITING, State.COME_BACK, State.PASSED, State.NOT_TODAY])

    return leave


def _wait(change: _Change) -> bool:
    since = [State.DONE, State.PASSED, State.NOT_TODAY, State.COME_BACK]
    return change.move(change.turn(), State.WAITING, since=since)


def _minute(change: _Change) -> bool:
    """For whoever shares; if nobody does, for this part."""
    run = change.run
    if run.share_started_at:
        run.share_seconds += 60
    else:
        kind, minutes, about = run.parts[run.part]
        run.parts = [*run.parts[: run.part], [kind, minutes + 1, about], *run.parts[run.part + 1 :]]
    return True


def _pause(change: _Change) -> bool:
    if change.run.paused_at:
        return False
    change.run.paused_at = change.now
    return True


def _go_on(change: _Change) -> bool:
    run = change.run
    if run.paused_at is None:
        return False
    stood_still = change.now - run.paused_at
    run.part_started_at += stood_still
    if run.share_started_at:
        run.share_started_at += stood_still
    run.paused_at = None
    return True


def _here(change: _Change) -> bool:
    """Taking attendance, as on the roster."""
    kind, number = change.whom[:1], change.whom[1:]
    if kind != "p" or not (number.isascii() and number.isdigit() and len(number) < 10):
        return False
    row = Participation.objects.on_roster(change.meeting).filter(pk=int(number)).first()
    if row is None or row.is_in_the_room or not change.meeting.roster_is_open:
        return False
    change.more["here"] = [str(row.member_id), row.attendance]
    return record_attendance(change.meeting, row.member_id, Participation.Attendance.PRESENT, by=change.by)


def _guest(change: _Change) -> bool:
    if not change.meeting.roster_is_open:
        return False
    add_anonymous_walk_in(change.meeting, by=change.by)
    change.more["guest"] = True
    return True


def _round(change: _Change) -> bool:
    """Everybody once more, but those who said not today. Not while somebody is still to come."""
    run = change.run
    if run.turns.to_come().exists():
        return False
    change.end_share()
    again = list(run.turns.filter(state__in=[State.DONE, State.PASSED]))
    return bool([turn for turn in again if change.move(turn, State.WAITING, since=[State.DONE, State.PASSED])])


def _end(change: _Change) -> bool:
    change.end_share()
    change.run.ended_at, change.run.paused_at = change.now, None
    Turn.objects.filter(run=change.run).update(shows_name=False, milestone="", hand_raised_at=None)
    return True


def _undo(change: _Change) -> bool:
    """Put back what the last tap changed; what somebody else changed since then stays."""
    run, last = change.run, change.run.before
    if last is None:
        return False
    for name, value in last["run"].items():
        setattr(run, name, parse_datetime(value) if value and name in MOMENTS else value)
    for pk, was, became in reversed(last["turns"]):
        Turn.objects.filter(pk=pk, state=became).update(state=was)
    if not run.turns.speaking().exists():
        run.share_started_at = None
    if "here" in last:
        _take_back_here(change.meeting, *last["here"], by=change.by)
    if "guest" in last:
        _take_back_guest(change)
    return True


def _take_back_here(meeting: Meeting, member_id, attendance: str | None, *, by: Member) -> None:
    marked = Participation.objects.filter(
        meeting=meeting, member=member_id, attendance=Participation.Attendance.PRESENT
    )
    if not marked.exists():
        return
    if attendance:
        record_attendance(meeting, member_id, attendance, by=by)
    else:
        clear_attendance(meeting, member_id, by=by)


def _take_back_guest(change: _Change) -> None:
    if remove_anonymous_walk_in(change.meeting, by=change.by):
        headcount = Meeting.objects.values_list("headcount", flat=True).get(pk=change.meeting.pk)
        change.run.turns.filter(guest__gt=headcount).delete()


_DO: dict[str, Callable[[_Change], bool]] = {
    Tap.NEXT_PART: _next_part,
    Tap.PREVIOUS_PART: _previous_part,
    Tap.SPEAK: _speak,
    Tap.DONE: _done,
    Tap.PASS: _leave_order(State.PASSED),
    Tap.NOT_TODAY: _leave_order(State.NOT_TODAY),
    Tap.COME_BACK: _leave_order(State.COME_BACK),
    Tap.WAIT: _wait,
    Tap.MINUTE: _minute,
    Tap.PAUSE: _pause,
    Tap.GO_ON: _go_on,
    Tap.HERE: _here,
    Tap.GUEST: _guest,
    Tap.ROUND: _round,
    Tap.END: _end,
    Tap.UNDO: _undo,
}
TAPS = frozenset(_DO)
