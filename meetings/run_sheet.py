"""What a counselor sees while a meeting runs: the order with names, who is still to come in, and the clocks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from groups.models import Phase
from members.models import Member

from . import speaking_order
from .models import Meeting, MeetingRun, Participation, Turn
from .speaking_order import Place


@dataclass(frozen=True)
class Person:
    """Somebody in the order, or (`is_here` false) somebody with a place who was not marked yet."""

    place: Place
    name: str
    is_here: bool
    is_first_ever: bool = False
    is_first_here: bool = False
    hand_is_up: bool = False
    milestone: str = ""

    @property
    def key(self) -> str:
        return self.place.key

    @property
    def state(self) -> str:
        return self.place.state

    @property
    def state_words(self) -> str:
        return str(Turn.State(self.place.state).label)


@dataclass(frozen=True)
class Part:
    name: str
    minutes: int
    is_now: bool
    is_past: bool


@dataclass(frozen=True)
class RunSheet:
    run: MeetingRun
    meeting: Meeting
    people: list[Person]
    not_here: list[Person]
    reader: Member
    now: datetime = field(default_factory=timezone.now)

    @classmethod
    def of(cls, run: MeetingRun, meeting: Meeting, *, reader: Member) -> "RunSheet":
        """In three questions, however many come."""
        roster = list(Participation.objects.on_roster(meeting).select_related("member"))
        turns = list(run.turns.all())
        before = Participation.objects.came_before(meeting, [row.member_id for row in roster])
        by_row = {turn.participation_id: turn for turn in turns if turn.participation_id}
        by_guest = {turn.guest: turn for turn in turns if turn.guest}
        people = [_person(row, by_row.get(row.pk), before) for row in roster]
        people += [_guest(number, by_guest.get(number)) for number in range(1, meeting.headcount + 1)]
        here = {person.key: person for person in people if person.is_here}
        order = speaking_order.in_order(person.place for person in here.values())
        away = sorted((person for person in people if not person.is_here), key=lambda one: (one.name, one.key))
        return cls(run, meeting, [here[place.key] for place in order], away, reader)

    @property
    def facts(self) -> tuple:
        """Whatever is shown and may change without a tap of a counselor."""
        return (tuple(self.people), tuple(self.not_here))

    @property
    def places(self) -> list[Place]:
        return [person.place for person in self.people]

    @property
    def speaker(self) -> Person | None:
        return next((person for person in self.people if person.state == Turn.State.SPEAKING), None)

    @property
    def to_come(self) -> list[Person]:
        by_key = {person.key: person for person in self.people}
        return [by_key[place.key] for place in speaking_order.to_come(self.places)]

    @property
    def next_speaker(self) -> Person | None:
        return next(iter(self.to_come), None)

    @property
    def after_next(self) -> list[Person]:
        return self.to_come[1:]

    @property
    def finished(self) -> list[Person]:
        return [person for person in self.people if person.state in ("done", "passed", "not_today")]

    @property
    def may_go_round_again(self) -> bool:
        return not self.to_come and any(person.state in ("done", "passed") for person in self.people)

    @property
    def hands(self) -> list[Person]:
        return [person for person in [*self.people, *self.not_here] if person.hand_is_up]

    @property
    def newcomers(self) -> list[Person]:
        everybody = [*self.people, *self.not_here]
        return [person for person in everybody if person.is_first_ever or person.is_first_here]

    @property
    def part_name(self) -> str:
        return str(self.run.kind.label)

    @property
    def about_part(self) -> str:
        return self.run.parts[self.run.part][2]

    @property
    def parts(self) -> list[Part]:
        return [
            Part(str(Phase.Kind(kind).label), minutes, number == self.run.part, number < self.run.part)
            for number, (kind, minutes, _about) in enumerate(self.run.parts)
        ]

    @property
    def part_number(self) -> int:
        return self.run.part + 1

    @property
    def next_part_name(self) -> str:
        return "" if self.run.is_last_part else self.parts[self.run.part + 1].name

    @property
    def part_seconds_left(self) -> int:
        return self.run.part_seconds_left(self.now)

    @property
    def share_seconds_left(self) -> int | None:
        return self.run.share_seconds_left(self.now)

    @property
    def part_clock(self) -> str:
        return clock_words(self.part_seconds_left)

    @property
    def share_clock(self) -> str:
        return clock_words(self.share_seconds_left or 0)

    @property
    def part_ends(self) -> datetime:
        """When this part is over, if nothing stops it; on the clock of the group."""
        return (self.now + timedelta(seconds=self.part_seconds_left)).astimezone(self.meeting.zone)

    @property
    def changed_at(self) -> datetime:
        return self.run.changed_at.astimezone(self.meeting.zone)

    @property
    def ran_minutes(self) -> int:
        """How long it ran, once it has ended."""
        return round(((self.run.ended_at or self.now) - self.run.started_at).total_seconds() / 60)

    @property
    def changed_by(self) -> str:
        if self.run.changed_by is None:
            return ""
        return _("you") if self.run.changed_by == self.reader else self.run.changed_by.display_name

    @property
    def can_undo(self) -> bool:
        return self.run.before is not None


def clock_words(seconds: int) -> str:
    """`4:05`, and `+0:35` for so much over."""
    minutes, rest = divmod(abs(seconds), 60)
    return f"{'+' if seconds < 0 else ''}{minutes}:{rest:02}"


def _person(row: Participation, turn: Turn | None, before: dict[UUID, bool]) -> Person:
    arrived = row.recorded_at.timestamp() if row.recorded_at else 0.0
    state = turn.state if turn else Turn.State.WAITING.value
    return Person(
        Place(f"p{row.pk}", state, turn.position if turn else None, arrived),
        row.member.display_name,
        is_here=row.is_in_the_room or state == Turn.State.SPEAKING,
        is_first_ever=row.member_id not in before,
        is_first_here=not before.get(row.member_id, True),
        hand_is_up=bool(turn and turn.hand_raised_at),
        milestone=str(turn.get_milestone_display()) if turn and turn.milestone else "",
    )


def _guest(number: int, turn: Turn | None) -> Person:
    state = turn.state if turn else Turn.State.WAITING.value
    place = Place(f"g{number}", state, turn.position if turn else None, speaking_order.GUESTS_ARRIVE + number)
    return Person(place, _("guest %(number)s") % {"number": number}, is_here=True)
