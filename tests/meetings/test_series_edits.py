"""Changes of a schedule: this date, this and later ones, all, pauses; over both changes of clocks, against dateutil."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from dateutil import tz
from dateutil.rrule import rrulestr
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from groups.models import Group, Topic
from meetings import services
from meetings.models import Meeting, MeetingSeries, Participation, Suspension
from outbox.models import Email
from tests import make

from .test_schedule import MONDAY, NEW_YORK, NOW, meetings_of  # noqa: F401  (NOW is for the clock)

BOOK = tz.gettz("America/New_York")
NOVEMBER = date(MONDAY.year, 11, 1)
CLOCKS_GO_BACK = NOVEMBER + timedelta(days=(6 - NOVEMBER.weekday()) % 7)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@pytest.fixture
def tuesdays(cast, clock):
    """Willow meets on Tuesdays at half past six, for twelve weeks to come."""
    cast.willow_meeting.series.delete()
    series = make.series(cast.willow, weekdays=[1], from_on=MONDAY - timedelta(weeks=8))
    services.extend_series()
    return series


def told() -> list[tuple[str, str]]:
    return sorted(Email.objects.values_list("kind", "recipient__display_name"))


# --- One date ---------------------------------------------------------------------------------------------------------


def test_one_date_moves_alone_and_those_coming_are_told_once(cast, tuesdays):
    meeting, *others = meetings_of(tuesdays)
    services.answer_going(meeting, by=cast.mia)
    there = {"on": meeting.local_date + timedelta(days=1), "at": time(19), "minutes": 60, "mode": "online"}

    assert services.move_meeting(meeting, by=cast.carol, **there) is True
    assert services.move_meeting(meeting, by=cast.carol, **there) is False

    meeting.refresh_from_db()
    assert (meeting.local_start.strftime("%a %H:%M"), meeting.minutes, meeting.mode) == ("Wed 19:00", 60, "online")
    assert meetings_of(tuesdays)[1:] == others
    assert told() == [("moved", "Mia")]


def test_moved_date_keeps_its_time_when_the_schedule_changes_and_can_be_put_back(cast, tuesdays):
    meeting = meetings_of(tuesdays)[1]
    services.move_meeting(
        meeting, by=cast.carol, on=meeting.local_date + timedelta(days=1), at=time(12), minutes=60, mode="online"
    )

    services.change_all_dates(tuesdays, by=cast.carol, weekdays=[3], start_time=time(20))
    meeting.refresh_from_db()
    assert meeting.local_start.strftime("%a %H:%M") == "Wed 12:00"
    assert len(meetings_of(tuesdays)) == 12

    assert services.put_back_meeting(meeting, by=cast.carol) is True
    assert services.put_back_meeting(meeting, by=cast.carol) is False
    meeting.refresh_from_db()
    assert (meeting.local_start.strftime("%a %H:%M"), meeting.mode) == ("Thu 20:00", "in-person")


def test_date_moved_past_its_own_day_is_not_dropped(cast, tuesdays, clock):
    meeting = meetings_of(tuesdays)[0]
    services.move_meeting(
        meeting, by=cast.carol, on=meeting.local_date + timedelta(days=2), at=time(12), minutes=60, mode="in-person"
    )
    clock.shift(timedelta(days=2))  # its Tuesday is over

    services.follow_series(tuesdays, by=cast.carol)

    assert Meeting.objects.get(pk=meeting.pk).status == "scheduled"


def test_one_date_cannot_move_into_the_past_or_onto_another_of_its_schedule(cast, tuesdays):
    meeting, other, *_rest = meetings_of(tuesdays)
    as_it_is = {"at": time(18, 30), "minutes": 90, "mode": "in-person"}

    assert services.move_meeting(meeting, by=cast.carol, on=MONDAY - timedelta(days=1), **as_it_is) is False
    with pytest.raises(services.Clash, match="the group meets then already"):
        services.move_meeting(meeting, by=cast.carol, on=other.local_date, **as_it_is)
    assert meetings_of(tuesdays)[0].starts_at == meeting.starts_at


def test_one_date_is_taken_up_out_of_a_holiday_and_stays(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    services.answer_going(meetings[2], by=cast.mia)
    services.cancel_range(
        [cast.willow],
        by=cast.carol,
        from_on=meetings[1].local_date,
        until_on=meetings[3].local_date,
        reason="Holiday",
    )

    assert services.take_up_meeting(Meeting.objects.get(pk=meetings[2].pk), by=cast.carol) is True
    assert services.take_up_meeting(Meeting.objects.get(pk=meetings[2].pk), by=cast.carol) is False
    services.follow_series(tuesdays, by=cast.carol)

    off = [meeting for meeting in meetings_of(tuesdays) if meeting.status == "cancelled"]
    assert off == [meetings[1], meetings[3]]
    assert told() == [("cancelled", "Mia"), ("on_again", "Mia")]

    for suspension in tuesdays.suspensions.all():  # both parts still know their dates
        services.end_suspension(suspension, by=cast.carol, on=MONDAY)
    assert {meeting.status for meeting in meetings_of(tuesdays)} == {"scheduled"}


def test_date_that_would_have_begun_is_not_taken_up(cast):
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=5), status="cancelled")

    assert services.take_up_meeting(meeting, by=cast.carol) is False
    assert Meeting.objects.get(pk=meeting.pk).status == "cancelled"


# --- This and later dates ---------------------------------------------------------------------------------------------


def test_later_dates_go_on_as_a_schedule_that_came_from_the_first(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    for meeting in (meetings[2], meetings[6]):
        services.answer_going(meeting, by=cast.mia)
    answers = set(Participation.objects.values_list("pk", "meeting", "member", "rsvp"))

    new = services.change_later_dates(
        tuesdays, by=cast.carol, since=meetings[5].series_date, weekdays=[3], start_time=time(19)
    )

    tuesdays.refresh_from_db()
    assert (new.came_from, tuesdays.until_on) == (tuesdays, meetings[5].series_date - timedelta(days=1))
    assert meetings_of(tuesdays) == meetings[:5]
    assert meetings_of(new)[:7] == meetings[5:]
    assert {meeting.local_start.strftime("%a %H:%M") for meeting in meetings_of(new)} == {"Thu 19:00"}
    assert set(Participation.objects.values_list("pk", "meeting", "member", "rsvp")) == answers
    assert told() == [("moved", "Mia")]

    assert services.undo_later_dates(new, by=cast.carol) == tuesdays
    assert [one.starts_at for one in meetings_of(tuesdays)] == [one.starts_at for one in meetings]
    assert set(Participation.objects.values_list("pk", "meeting", "member", "rsvp")) == answers
    assert MeetingSeries.objects.filter(group=cast.willow).get().until_on is None


def test_change_of_later_dates_cannot_be_taken_back_once_one_has_been(cast, tuesdays, clock):
    meetings = meetings_of(tuesdays)
    new = services.change_later_dates(tuesdays, by=cast.carol, since=meetings[1].series_date, start_time=time(19))
    clock.shift(timedelta(weeks=2))

    assert services.undo_later_dates(new, by=cast.carol) is None
    assert services.undo_later_dates(tuesdays, by=cast.carol) is None


def test_change_from_the_first_date_of_a_schedule_makes_no_second_one(cast, clock):
    series = make.series(cast.willow, weekdays=[1], from_on=MONDAY)
    services.extend_series()
    first = meetings_of(series)[0]

    assert services.change_later_dates(series, by=cast.carol, since=first.series_date, start_time=time(9)) == series
    assert MeetingSeries.objects.filter(pk=series.pk, start_time="09:00").exists()


def test_pause_passes_to_the_schedule_that_goes_on(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    services.suspend_series(
        tuesdays, by=cast.carol, from_on=meetings[3].series_date, until_on=meetings[6].series_date, reason="Rest"
    )

    new = services.change_later_dates(tuesdays, by=cast.carol, since=meetings[5].series_date, start_time=time(19))

    assert [meeting.status for meeting in meetings_of(new)][:3] == ["cancelled", "cancelled", "scheduled"]
    for suspension in new.suspensions.all():
        services.end_suspension(suspension, by=cast.carol, on=MONDAY)
    assert {meeting.status for meeting in meetings_of(new)} == {"scheduled"}
    assert {f"{meeting.local_start:%H:%M}" for meeting in meetings_of(new)} == {"19:00"}
    assert [meeting.status for meeting in meetings_of(tuesdays)][3:] == ["cancelled", "cancelled"]


def test_dates_that_a_change_left_out_are_on_again_when_it_is_taken_back(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    services.answer_going(meetings[6], by=cast.mia)
    answers = set(Participation.objects.values_list("pk", "meeting", "member", "rsvp"))

    new = services.change_later_dates(tuesdays, by=cast.carol, since=meetings[5].series_date, every_n_weeks=2)
    assert [meeting.status for meeting in meetings_of(new)][:2] == ["scheduled", "cancelled"]

    services.undo_later_dates(new, by=cast.carol)

    assert {meeting.status for meeting in meetings_of(tuesdays)} == {"scheduled"}
    assert [one.starts_at for one in meetings_of(tuesdays)] == [one.starts_at for one in meetings]
    assert set(Participation.objects.values_list("pk", "meeting", "member", "rsvp")) == answers
    assert told() == [("cancelled", "Mia"), ("on_again", "Mia")]


def test_date_that_a_person_cancelled_stays_off_whatever_the_schedule_does(cast, tuesdays):
    meeting = meetings_of(tuesdays)[6]
    services.answer_going(meeting, by=cast.mia)
    services.cancel_meeting(meeting, by=cast.carol, reason="The room is closed")

    services.change_all_dates(tuesdays, by=cast.carol, every_n_weeks=2)
    services.change_all_dates(tuesdays, by=cast.carol, every_n_weeks=1)

    assert [one for one in meetings_of(tuesdays) if one.status == "cancelled"] == [meeting]


def test_change_from_an_earlier_date_goes_between_two_schedules(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    last = services.change_later_dates(tuesdays, by=cast.carol, since=meetings[8].series_date, start_time=time(20))

    between = services.change_later_dates(tuesdays, by=cast.carol, since=meetings[4].series_date, start_time=time(19))

    last.refresh_from_db()
    assert (between.came_from, last.came_from) == (tuesdays, between)
    hours = Meeting.objects.filter(group=cast.willow).in_order().values_list("local_time", flat=True)
    assert list(hours) == [time(18, 30)] * 4 + [time(19)] * 4 + [time(20)] * 4

    assert services.undo_later_dates(between, by=cast.carol) == tuesdays
    last.refresh_from_db()
    assert last.came_from == tuesdays
    hours = Meeting.objects.filter(group=cast.willow).in_order().values_list("local_time", flat=True)
    assert list(hours) == [time(18, 30)] * 8 + [time(20)] * 4


def test_topics_are_chosen_for_coming_dates_of_the_group_alone(cast, tuesdays):
    meeting = meetings_of(tuesdays)[0]
    past = make.meeting(cast.willow, series=tuesdays, starts_at=timezone.now() - timedelta(weeks=52))
    foreign = cast.cedar_meeting
    topic = Topic.objects.create(group=cast.willow, name="Walks")

    chosen = dict.fromkeys((meeting.pk, past.pk, foreign.pk), topic)

    assert services.choose_topics(cast.willow, chosen, by=cast.carol) == 1
    assert services.choose_topics(cast.willow, chosen, by=cast.carol) == 0
    assert list(Meeting.objects.exclude(topic=None)) == [meeting]


# --- Holidays of several groups ---------------------------------------------------------------------------------------


def test_holiday_reaches_dates_of_several_groups_also_those_not_planned_yet(cast, clock):
    MeetingSeries.objects.all().delete()
    willow, cedar = (make.series(group, weekdays=[1], from_on=MONDAY) for group in (cast.willow, cast.cedar))
    services.extend_series()
    last = meetings_of(willow)[-1].local_date

    rests = services.cancel_range(
        [cast.willow, cast.cedar], by=cast.olga, from_on=last, until_on=last + timedelta(weeks=2), reason="Holiday"
    )
    again = services.cancel_range(
        [cast.willow, cast.cedar], by=cast.olga, from_on=last, until_on=last + timedelta(weeks=2), reason="Holiday"
    )
    clock.shift(timedelta(weeks=4))
    services.extend_series()

    assert ({one.series for one in rests}, again) == ({willow, cedar}, [])
    for series in (willow, cedar):
        last_four = [(meeting.local_date - last).days // 7 for meeting in meetings_of(series)][-3:]
        assert last_four == [0, 3, 4]
        assert meetings_of(series)[-3].status == "cancelled"


# --- What a random row of changes leaves, against the book ------------------------------------------------------------


@dataclass
class Rule:
    weekday: int
    every: int
    nth: int | None
    at: time
    minutes: int
    since: date
    until: date | None = None

    def change(self, how: dict) -> None:
        self.weekday, self.every, self.nth, self.at = how["weekday"], how["every"], how["nth"], how["at"]

    def dates(self, first: date, last: date) -> list[date]:
        weekly = f"FREQ=WEEKLY;WKST=MO;INTERVAL={self.every};BYDAY={DAYS[self.weekday]}"
        rule = f"FREQ=MONTHLY;BYDAY={self.nth}{DAYS[self.weekday]}" if self.nth else weekly
        book = rrulestr(rule, dtstart=datetime.combine(self.since, time.min))
        last = min(last, self.until or last)
        return [one.date() for one in book.between(*(datetime.combine(d, time.min) for d in (first, last)), inc=True)]


@dataclass
class Book:
    """What the dates should be: rules one after the other, days off, single dates off, single dates moved."""

    now: datetime
    rules: list[Rule]
    off: set[date] = field(default_factory=set)
    rests: list[tuple[date, date]] = field(default_factory=list)
    moved: dict[date, tuple[Rule, datetime]] = field(default_factory=dict)  # by the date of the rule

    @property
    def today(self) -> date:
        return self.now.astimezone(BOOK).date()

    def moment(self, on: date, at: time) -> datetime:
        return tz.resolve_imaginary(datetime.combine(on, at, BOOK)).astimezone(UTC)

    def rests_on(self, on: date) -> bool:
        return any(first <= on <= last for first, last in self.rests)

    def slots(self, rule: Rule) -> list[date]:
        """Those that are to come and not within a pause, single ones that are off among them."""
        dates = rule.dates(self.today, self.today + timedelta(weeks=12, days=-1))
        return [on for on in dates if not self.rests_on(on) and self.moment(on, rule.at) > self.now]

    def starts(self) -> Counter:
        usual = [
            self.moment(on, rule.at)
            for rule in self.rules
            for on in self.slots(rule)
            if on not in self.off and on not in self.moved
        ]
        return Counter([*usual, *(start for _rule, start in self.moved.values())])

    def rest(self, first: date, last: date) -> None:
        self.rests.append((first, last))
        for on, (_rule, start) in list(self.moved.items()):
            if first <= start.astimezone(BOOK).date() <= last:
                del self.moved[on]
                self.off.add(on)

    def follow(self, rule: Rule) -> None:
        """Moved dates stay while their week has a date of the changed rule."""
        for on, (of, start) in list(self.moved.items()):
            if of is not rule or on in rule.dates(on, on):
                continue
            del self.moved[on]
            taken = self.off | set(self.moved)
            week = [d for d in self.slots(rule) if d.isocalendar()[:2] == on.isocalendar()[:2] and d not in taken]
            if week:
                self.moved[week[0]] = (rule, start)


a_start = st.sampled_from([time(1, 30), time(2, 30), time(18, 30), time(23, 45)])
a_rule = st.fixed_dictionaries(
    {
        "weekday": st.integers(0, 6),
        "every": st.sampled_from([1, 1, 2, 3]),
        "nth": st.sampled_from([None, None, 1, 3, -1]),
        "at": a_start,
    }
)
an_edit = st.one_of(
    st.tuples(st.sampled_from(["all", "later"]), st.integers(0, 11), a_rule),
    st.tuples(st.just("move"), st.integers(0, 11), st.tuples(st.integers(-2, 2), a_start)),
    st.tuples(st.just("cancel"), st.integers(0, 11), st.none()),
    st.tuples(st.just("rest"), st.integers(0, 60), st.integers(0, 21)),
)


@contextmanager
def taken_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def suppress_same_start():
    """A date that was moved by itself may stand where the new rule wants another: then nothing at all is changed."""
    try:
        yield
    except services.Clash as clash:
        if clash.what != "same_start":
            raise


def apply(edit, book: Book, series: dict[int, MeetingSeries], people) -> None:
    """Do one edit to the rows and to the book."""
    kind, which, how = edit
    if kind == "rest":
        first = book.today + timedelta(days=which)
        last = first + timedelta(days=how)
        services.cancel_range([people.willow], by=people.carol, from_on=first, until_on=last, reason="Rest")
        book.rest(first, last)
        return
    coming = list(Meeting.objects.filter(group=people.willow, status="scheduled").in_order())
    if not coming:
        return
    meeting = coming[which % len(coming)]
    rule = next(one for one in book.rules if series[id(one)].pk == meeting.series_id)
    on = meeting.series_date
    match kind:
        case "cancel":
            services.cancel_meeting(meeting, by=people.carol, reason="")
            book.off.add(on)
            book.moved.pop(on, None)
        case "move":
            day = meeting.local_date + timedelta(days=how[0])
            start = book.moment(day, how[1])
            busy = set(Meeting.objects.filter(series=meeting.series_id).values_list("starts_at", flat=True))
            if start in busy or start <= book.now or book.rests_on(day):
                return
            services.move_meeting(meeting, by=people.carol, on=day, at=how[1], minutes=60, mode="online")
            book.moved[on] = (rule, start)
        case "all":
            services.change_all_dates(series[id(rule)], by=people.carol, **in_words(how))
            rule.change(how)
            series[id(rule)].refresh_from_db()
            book.follow(rule)
        case "later":
            later(book, series, rule, on, how, people)


def later(book: Book, series, rule: Rule, on: date, how, people) -> None:
    has_earlier = bool(rule.dates(rule.since, on - timedelta(days=1)))
    found = services.change_later_dates(series[id(rule)], by=people.carol, since=on, **in_words(how))
    if not has_earlier:
        rule.change(how)
        series[id(rule)].refresh_from_db()
        book.follow(rule)
        return
    monday = on - timedelta(days=on.weekday())
    begins = monday if how["weekday"] < on.weekday() and not rule.dates(monday, on - timedelta(days=1)) else on
    new = replace(rule, since=begins, **how)
    rule.until = on - timedelta(days=1)
    book.rules.append(new)
    series[id(new)] = found
    series[id(rule)].refresh_from_db()
    for anchor, (of, start) in list(book.moved.items()):
        if of is rule and anchor >= on:
            book.moved[anchor] = (new, start)
    book.follow(new)


def in_words(how) -> dict:
    return {
        "weekdays": [how["weekday"]],
        "every_n_weeks": how["every"],
        "nth_of_month": how["nth"],
        "start_time": how["at"],
    }


@pytest.mark.parametrize("today", [MONDAY, CLOCKS_GO_BACK - timedelta(days=16)], ids=["spring", "autumn"])
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rule=a_rule, edits=st.lists(an_edit, min_size=1, max_size=5))
def test_dates_after_any_edits_are_those_of_the_book_and_every_answer_is_kept(cast, today, rule, edits):
    now = datetime.combine(today, time(12), NEW_YORK)
    with time_machine.travel(now, tick=False), taken_back():
        MeetingSeries.objects.all().delete()
        Group.objects.filter(pk=cast.willow.pk).update(capacity=1)
        first = Rule(**rule, minutes=90, since=today - timedelta(weeks=8))
        row = make.series(cast.willow, from_on=first.since, **in_words(rule))
        book, series = Book(now, [first]), {id(first): row}
        services.extend_series()
        for number, meeting in enumerate(meetings_of(row)):
            if number % 2:
                services.answer_going(meeting, by=cast.mia)
                make.participation(meeting, cast.max, rsvp="waitlisted")
        answers = all_answers()

        for edit in edits:
            before, mails = all_dates(), set(Email.objects.values_list("pk", flat=True))
            with suppress_same_start():
                apply(edit, book, series, cast)
            assert all_answers() == answers
            assert news(mails) == changed_since(before), edit
            coming = Meeting.objects.filter(group=cast.willow, status="scheduled", starts_at__gt=timezone.now())
            assert Counter(coming.values_list("starts_at", flat=True)) == book.starts(), edit


def all_answers() -> set:
    return set(Participation.objects.values_list("pk", "meeting", "member", "rsvp", "rsvp_at"))


def all_dates() -> dict:
    return {
        one.pk: (one.starts_at, one.ends_at, one.mode, one.status) for one in Meeting.objects.filter(status="scheduled")
    }


def news(mails: set) -> Counter:
    """Who was told of which date since then, how often."""
    return Counter(Email.objects.exclude(pk__in=mails).values_list("about_id", "recipient"))


def changed_since(before: dict) -> Counter:
    """Who should have been told: once for each date they are to come to that is another now, or off, or on again."""
    now = all_dates()
    changed = [pk for pk in before | now if before.get(pk) != now.get(pk)]
    return Counter(Participation.objects.filter(meeting__in=changed).values_list("meeting", "member"))


def test_pauses_of_a_schedule_are_kept_apart(cast, tuesdays):
    """Ending one pause leaves a later one as it is."""
    meetings = meetings_of(tuesdays)
    for number in (1, 5):
        on = meetings[number].series_date
        services.suspend_series(tuesdays, by=cast.carol, from_on=on, until_on=on)
    first = Suspension.objects.order_by("from_on").first()

    assert services.end_suspension(first, by=cast.carol, on=MONDAY) is True
    assert services.end_suspension(first, by=cast.carol, on=MONDAY) is False
    assert [meeting.status for meeting in meetings_of(tuesdays)].index("cancelled") == 5
