"""The run page: parts, clocks, the order, undo, and two counselors at once."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Facilitator, Phase, Topic
from meetings import services, speaking_order
from meetings.models import Meeting, MeetingRun, Participation, Turn
from meetings.run_sheet import RunSheet, clock_words
from meetings.speaking_order import Place
from tests import make
from tests.meetings.test_races import half_way, start

NOW = datetime.fromisoformat("2030-05-07T22:30Z")


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def evening(cast, clock):
    """Willow meets now: Mia, Max and Vera have a place, Olga may help Carol."""
    cast.evening = make.meeting(cast.willow, starts_at=timezone.now())
    for member in (cast.mia, cast.max, cast.vera):
        make.participation(cast.evening, member)
    return cast


@pytest.fixture
def tap(evening):
    """Carol taps what she sees now; or somebody else, or what was there before."""

    def tap(what, whom="", *, by=None, seen=None):
        seen = seen or MeetingRun.objects.get(meeting=evening.evening).version
        return services.tap_run(evening.evening, what, whom=whom, seen=seen, by=by or evening.carol)

    return tap


@pytest.fixture
def running(evening, tap):
    """Started, Mia and Max are here."""
    assert services.start_run(evening.evening, by=evening.carol)
    for member in (evening.mia, evening.max):
        assert tap("here", key(evening.evening, member))
    return evening


def key(meeting, member) -> str:
    return f"p{Participation.objects.get(meeting=meeting, member=member).pk}"


def run_of(cast) -> MeetingRun:
    return MeetingRun.objects.get(meeting=cast.evening)


def sheet(cast) -> RunSheet:
    meeting = Meeting.objects.get(pk=cast.evening.pk)
    return RunSheet.of(run_of(cast), meeting, reader=cast.carol)


def states(cast) -> dict[str, str]:
    return {person.name: person.state for person in sheet(cast).people}


# --- Starting ---------------------------------------------------------------------------------------------------------


def test_starting_begins_the_groups_own_sequence_and_marks_nobody(evening):
    Phase.objects.create(group=evening.willow, position=1, kind="welcome", minutes=4, about="We light a candle.")
    Phase.objects.create(group=evening.willow, position=2, kind="sharing", minutes=50)

    assert services.start_run(evening.evening, by=evening.carol)

    run = run_of(evening)
    assert run.parts == [["welcome", 4, "We light a candle."], ["sharing", 50, ""]]
    assert (run.started_at, run.part, run.part_seconds_left(NOW)) == (NOW, 0, 240)
    assert not Participation.objects.exclude(attendance=None).exists()
    assert AuditEvent.objects.filter(action="run.started", object_id=str(evening.evening.pk)).count() == 1


def test_group_without_a_sequence_goes_by_the_usual_one(evening):
    services.start_run(evening.evening, by=evening.carol)

    assert sum(minutes for _kind, minutes, _about in run_of(evening).parts) == evening.evening.minutes


def test_meeting_starts_once(evening):
    assert services.start_run(evening.evening, by=evening.carol)
    assert not services.start_run(evening.evening, by=evening.olga)

    assert run_of(evening).changed_by == evening.carol


@pytest.mark.parametrize(
    ("minutes", "fields", "may"),
    [
        (61, {}, False),
        (60, {}, True),
        (-89, {}, True),
        (-90, {}, False),
        (0, {"status": "cancelled"}, False),
        (0, {"status": "did_not_meet"}, False),
    ],
)
def test_meeting_can_be_started_from_an_hour_before_until_its_end_if_it_is_on(evening, minutes, fields, may):
    meeting = make.meeting(evening.willow, starts_at=NOW + timedelta(minutes=minutes), **fields)

    assert services.start_run(meeting, by=evening.carol) is may
    assert MeetingRun.objects.exists() is may


# --- Parts and clocks -------------------------------------------------------------------------------------------------


def test_parts_go_on_and_back_and_not_past_either_end(running, tap):
    last = len(run_of(running).parts) - 1

    assert not tap("previous_part")
    for part in range(1, last + 1):
        assert tap("next_part")
        assert run_of(running).part == part
    assert not tap("next_part")
    assert tap("previous_part")
    assert run_of(running).part == last - 1


def test_clock_of_a_part_counts_from_when_it_began(running, tap, clock):
    clock.shift(timedelta(minutes=2, seconds=5))
    tap("next_part")
    minutes = run_of(running).parts[1][1]
    clock.shift(timedelta(seconds=61))

    assert sheet(running).part_seconds_left == minutes * 60 - 61
    clock.shift(timedelta(minutes=minutes))
    assert sheet(running).part_clock == "+1:01"


def test_clocks_stand_still_in_a_pause_and_go_on_from_there(running, tap, clock):
    tap("speak", key(running.evening, running.mia))
    clock.shift(timedelta(seconds=100))
    assert tap("pause")
    part, share = sheet(running).part_seconds_left, sheet(running).share_seconds_left
    clock.shift(timedelta(minutes=7))
    in_the_pause = sheet(running)
    assert tap("go_on")
    clock.shift(timedelta(seconds=3))

    assert not tap("go_on")
    assert (in_the_pause.part_seconds_left, in_the_pause.share_seconds_left) == (part, share)
    assert (sheet(running).part_seconds_left, sheet(running).share_seconds_left) == (part - 3, share - 3)


def test_one_more_minute_is_for_whoever_shares_and_else_for_the_part(running, tap):
    part = sheet(running).part_seconds_left
    tap("minute")
    tap("speak", key(running.evening, running.mia))
    tap("minute")

    assert sheet(running).part_seconds_left == part + 60
    assert sheet(running).share_seconds_left == running.willow.share_minutes * 60 + 60


def test_clock_is_written_as_people_read_it():
    assert [clock_words(seconds) for seconds in (245, 60, 9, 0, -1, -95)] == [
        "4:05", "1:00", "0:09", "0:00", "+0:01", "+1:35",
    ]  # fmt: skip


# --- The order --------------------------------------------------------------------------------------------------------


def test_order_is_that_in_which_people_came(running, tap):
    tap("here", key(running.evening, running.vera))
    tap("guest")

    assert [person.name for person in sheet(running).people] == ["Mia", "Max", "Vera", "guest 1"]
    assert sheet(running).next_speaker.name == "Mia"


def test_next_speaker_ends_the_share_before(running, tap):
    tap("speak", key(running.evening, running.mia))
    tap("speak", key(running.evening, running.max))
    assert states(running) == {"Mia": "done", "Max": "speaking"}

    assert tap("done")
    assert states(running) == {"Mia": "done", "Max": "done"}
    assert run_of(running).share_started_at is None
    assert not tap("done")


def test_whoever_passes_is_not_next_and_whoever_asked_is_come_back_to(running, tap):
    tap("here", key(running.evening, running.vera))
    tap("come_back", key(running.evening, running.mia))
    tap("pass", key(running.evening, running.max))

    assert [person.name for person in sheet(running).to_come] == ["Vera", "Mia"]
    tap("not_today", key(running.evening, running.vera))
    assert [person.name for person in sheet(running).to_come] == ["Mia"]
    tap("wait", key(running.evening, running.max))
    assert [person.name for person in sheet(running).to_come] == ["Max", "Mia"]


def test_whoever_shares_can_pass_in_the_middle_of_it(running, tap):
    tap("speak", key(running.evening, running.mia))

    assert tap("pass", key(running.evening, running.mia))
    assert states(running)["Mia"] == "passed"
    assert run_of(running).share_started_at is None


def test_another_round_is_for_those_who_did_not_say_not_today(running, tap):
    assert not tap("round")
    tap("speak", key(running.evening, running.mia))
    tap("not_today", key(running.evening, running.max))

    assert tap("round")
    assert states(running) == {"Mia": "waiting", "Max": "not_today"}


def test_places_keep_their_order_whatever_else_changes():
    seats = [
        Place("p3", "waiting", None, 9.0),
        Place("p2", "done", 2),
        Place("p9", "come_back", 1),
        Place("g1", "waiting", 3),
    ]

    seated = speaking_order.in_order(seats)

    assert [one.key for one in seated] == ["p9", "p2", "g1", "p3"]
    assert [one.key for one in speaking_order.to_come(seated)] == ["g1", "p3", "p9"]
    assert [speaking_order.before(seated, key) for key in ("g1", "p3", "p9", "p2", "p7")] == [0, 1, 2, None, None]
    assert speaking_order.speaking(seated) is None


# --- Attendance -------------------------------------------------------------------------------------------------------


def test_tapping_somebody_as_here_takes_attendance(running):
    rows = dict(Participation.objects.filter(meeting=running.evening).values_list("member__display_name", "attendance"))

    assert rows == {"Mia": "present", "Max": "present", "Vera": None}
    assert AuditEvent.objects.filter(action="attendance.recorded", actor_id=running.carol.pk).count() == 2


def test_people_noted_on_the_roster_are_in_the_order(running, tap):
    services.record_attendance(running.evening, running.vera.pk, "late", by=running.carol)
    services.add_anonymous_walk_in(running.evening, by=running.carol)
    services.add_walk_in(running.evening, running.nora.code, by=running.carol)

    assert sorted(states(running)) == ["Max", "Mia", "Nora", "Vera", "guest 1"]
    assert tap("speak", "g1")
    assert states(running)["guest 1"] == "speaking"


def test_whoever_left_early_is_not_asked_any_more(running):
    services.record_attendance(running.evening, running.mia.pk, "left_early", by=running.carol)

    assert list(states(running)) == ["Max"]


def test_first_timers_are_told_to_the_counselor(running):
    past = make.meeting(running.willow, starts_at=NOW - timedelta(days=7))
    elsewhere = make.meeting(running.cedar, starts_at=NOW - timedelta(days=7))
    make.participation(past, running.mia, attendance="present")
    make.participation(elsewhere, running.max, attendance="present")
    make.participation(past, running.vera, attendance="absent")

    first = {person.name: (person.is_first_ever, person.is_first_here) for person in sheet(running).people}
    first |= {person.name: (person.is_first_ever, person.is_first_here) for person in sheet(running).not_here}
    assert first == {"Mia": (False, False), "Max": (False, True), "Vera": (True, False)}


# --- Undo -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taps", "last"),
    [
        ([], ("next_part", None)),
        ([("next_part", None)], ("previous_part", None)),
        ([], ("speak", "mia")),
        ([("speak", "mia")], ("speak", "max")),
        ([("speak", "mia")], ("done", None)),
        ([("speak", "mia")], ("pass", "mia")),
        ([("speak", "mia")], ("come_back", "max")),
        ([("speak", "mia")], ("not_today", "mia")),
        ([("speak", "mia")], ("minute", None)),
        ([], ("minute", None)),
        ([("speak", "mia")], ("pause", None)),
        ([("speak", "mia"), ("pause", None)], ("go_on", None)),
        ([("speak", "mia"), ("speak", "max"), ("done", None)], ("round", None)),
        ([("speak", "mia")], ("next_part", None)),
        ([("speak", "mia")], ("end", None)),
        ([], ("here", "vera")),
        ([("guest", None)], ("guest", None)),
    ],
)
def test_undo_puts_back_what_the_last_tap_changed(running, tap, clock, taps, last):
    def facts():
        run = MeetingRun.objects.filter(meeting=running.evening).values(*services.running.FACTS).get()
        rows = Participation.objects.filter(meeting=running.evening).order_by("pk").values_list("attendance", flat=True)
        headcount = Meeting.objects.values_list("headcount", flat=True).get(pk=running.evening.pk)
        return run, states(running), list(rows), headcount

    def press(what, who):
        clock.shift(timedelta(seconds=10))
        return tap(what, key(running.evening, getattr(running, who)) if who else "")

    for one in taps:
        assert press(*one)
    before, version = facts(), run_of(running).version
    assert press(*last)
    assert facts() != before

    assert tap("undo")
    assert facts() == before
    assert run_of(running).version == version + 2
    assert not tap("undo")


def test_undo_leaves_what_a_member_said_meanwhile(running, tap):
    tap("come_back", key(running.evening, running.mia))
    services.pass_today(running.evening, by=running.mia)

    tap("undo")

    assert states(running)["Mia"] == "not_today"


def test_ended_meeting_takes_no_tap_but_undo(running, tap):
    tap("end")

    assert not tap("next_part")
    assert not tap("here", key(running.evening, running.vera))
    assert tap("undo")
    assert tap("next_part")


# --- Two counselors ---------------------------------------------------------------------------------------------------


def test_tap_on_what_is_old_changes_nothing(running, tap):
    seen = run_of(running).version
    tap("next_part", seen=seen)
    before = MeetingRun.objects.values().get()

    assert not tap("next_part", seen=seen, by=running.olga)
    assert MeetingRun.objects.values().get() == before


def test_second_counselor_reads_who_was_first_and_how_it_stands(running, sign_in):
    url = reverse("meetings:meeting_run", args=[running.evening.pk])
    carol, olga = sign_in(running.carol), sign_in(running.olga)
    version = run_of(running).version
    carol.post(url, {"version": version, "tap": "next_part"})

    late = olga.post(url, {"version": version, "tap": f"speak:{key(running.evening, running.mia)}"})

    assert late.status_code == 409
    assert "Carol tapped before you, so nothing was changed." in late.content.decode()
    assert "Introductions" in late.content.decode()
    assert run_of(running).version == version + 1


@pytest.mark.django_db(transaction=True)
def test_of_taps_at_the_same_moment_one_counts(cast):
    """Eight phones press “next part” on the same picture, ten times: ten parts, never two at once."""
    meeting = make.meeting(cast.willow, starts_at=timezone.now())
    for position in range(1, 13):
        Phase.objects.create(group=cast.willow, position=position, kind="sharing", minutes=5)
    services.start_run(meeting, by=cast.carol)
    everybody = threading.Barrier(8)

    def press(seen):
        try:
            everybody.wait(10)
            return services.tap_run(meeting, "next_part", seen=seen, by=cast.carol)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        for seen in range(1, 11):
            assert sorted(pool.map(press, [seen] * 8)) == [False] * 7 + [True]

    run = MeetingRun.objects.get()
    assert (run.version, run.part) == (11, 10)


@pytest.mark.django_db(transaction=True)
def test_two_counselors_start_at_once_and_there_is_one_run(cast):
    meeting = make.meeting(cast.willow, starts_at=timezone.now())
    both = threading.Barrier(2)

    def start(who):
        try:
            both.wait(10)
            return services.start_run(meeting, by=who)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(start, [cast.carol, cast.olga])) == [False, True]

    assert AuditEvent.objects.filter(action="run.started").count() == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_passes_at_that_moment_is_not_made_to_share_and_the_share_before_goes_on(cast):
    meeting = make.meeting(cast.willow, starts_at=timezone.now())
    for member in (cast.mia, cast.max):
        make.participation(meeting, member, attendance="present")
    services.start_run(meeting, by=cast.carol)
    services.tap_run(meeting, "speak", whom=key(meeting, cast.mia), seen=1, by=cast.carol)

    with half_way(lambda: services.pass_today(meeting, by=cast.max)):
        tapped = start(lambda: services.tap_run(meeting, "speak", whom=key(meeting, cast.max), seen=2, by=cast.carol))

    assert tapped.result(10) is False
    turns = dict(Turn.objects.values_list("participation__member__display_name", "state"))
    assert turns == {"Mia": "speaking", "Max": "not_today"}
    run = MeetingRun.objects.get()
    assert (run.version, run.share_started_at is None) == (2, False)


# --- The page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def address(running, sign_in):
    Facilitator.objects.get_or_create(group=running.willow, member=running.carol)
    client = sign_in(running.carol)
    url = reverse("meetings:meeting_run", args=[running.evening.pk])
    return client, url


def test_page_shows_part_clock_order_and_topic(running, address, tap, clock):
    topic = Topic.objects.create(name="Quiet evenings", prompts="What helps you rest?\n\nWho can you call?")
    Meeting.objects.filter(pk=running.evening.pk).update(topic=topic)
    tap("speak", key(running.evening, running.mia))
    clock.shift(timedelta(seconds=35))
    client, url = address

    html = client.get(url).content.decode()

    assert "Welcome and ground rules" in html
    assert 'data-clock="205"' in html
    assert ">3:25<" in html
    assert "Next: Max" in html
    assert "What helps you rest?" in html
    assert "first meeting" in html
    assert "8:00 pm" not in re.sub(r"<[^>]+>", "", html)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"tap": "speak:p999999", "version": "now"}, 409),
        ({"tap": "speak:p99999999999999999999", "version": "now"}, 409),
        ({"tap": "speak:x1", "version": "now"}, 409),
        ({"tap": "here:g1", "version": "now"}, 409),
        ({"tap": "go_on", "version": "now"}, 409),
        ({"tap": "start"}, 409),
        ({"tap": "dance", "version": "now"}, 400),
        ({"tap": "pause"}, 400),
        ({"tap": "pause", "version": "-1"}, 400),
        ({"tap": "pause", "version": "٣"}, 400),
        ({}, 400),
    ],
)
def test_bad_tap_changes_nothing(running, address, data, status):
    client, url = address
    before = MeetingRun.objects.values().get(), list(Turn.objects.order_by("pk").values())
    data = data | ({"version": run_of(running).version} if data.get("version") == "now" else {})

    response = client.post(url, data)

    assert response.status_code == status
    assert (MeetingRun.objects.values().get(), list(Turn.objects.order_by("pk").values())) == before
    if status == 409:
        assert "nothing was changed" in response.content.decode()


def test_person_of_another_meeting_is_nobody_here(running, tap):
    other = make.meeting(running.cedar, starts_at=NOW)
    make.participation(other, running.nora)
    services.start_run(other, by=running.dan)
    services.tap_run(other, "here", whom=key(other, running.nora), seen=1, by=running.dan)

    assert not tap("speak", key(other, running.nora))
    assert not tap("here", key(other, running.nora))
    assert Turn.objects.get(run=other.pk).state == "waiting"


def test_page_answers_304_until_something_changes(running, address):
    client, url = address
    tag = client.get(url)["ETag"]
    unchanged = client.get(url, headers={"If-None-Match": tag, "X-Background": "yes"})
    services.raise_hand(running.evening, by=running.mia)
    changed = client.get(url, headers={"If-None-Match": tag, "X-Background": "yes"})

    assert (unchanged.status_code, changed.status_code) == (304, 200)
    assert "1 hand is up" in changed.content.decode()
    assert "<html" not in changed.content.decode()


@pytest.mark.parametrize("how_many", [3, 60])
def test_page_costs_the_same_however_many_come(running, address, how_many):
    for member in make.members(how_many):
        make.participation(running.evening, member, rsvp=None, attendance="present")
    client, url = address

    with CaptureQueriesContext(connection) as queries:
        client.get(url)

    assert len(queries) == 9


def test_turns_are_forgotten_half_a_day_after_the_meeting(running, tap, clock):
    tap("speak", key(running.evening, running.mia))
    tap("end")
    clock.shift(timedelta(hours=11))
    assert services.forget_turns() == 0
    clock.shift(timedelta(hours=2))

    assert services.forget_turns() == 2
    assert MeetingRun.objects.get().before is None
    assert Participation.objects.filter(meeting=running.evening).attended().count() == 2


def test_session_log_begins_with_the_times_of_the_run(running, tap, clock):
    clock.shift(timedelta(minutes=80))
    open_still = services.draft_log(running.evening)
    tap("end")
    ended = services.draft_log(running.evening)

    assert (open_still.started_at, open_still.ended_at) == (NOW, running.evening.ends_at)
    assert (ended.started_at, ended.ended_at) == (NOW, NOW + timedelta(minutes=80))
