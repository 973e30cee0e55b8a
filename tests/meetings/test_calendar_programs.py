"""What calendar programs read in our files as a meeting lives on: planned, moved, cancelled, a whole series called off,
given back and taken again. Each file is compared to the letter with one kept in `calendars/`, and read by two libraries
that calendar programs are built with: `icalendar` and npm's `ical.js`."""

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from icalendar import Calendar

from meetings import services
from meetings.models import Meeting, MeetingSeries, Participation
from members.services import name_groups_in_calendar, open_calendar
from tests import make

CHECKOUT = Path(__file__).resolve().parent.parent.parent
KEPT = Path(__file__).parent / "calendars"
ICAL_JS = """
const ICAL = require("ical.js");
const files = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(files.map(text => {
  const calendar = new ICAL.Component(ICAL.parse(text));
  return {
    method: calendar.getFirstPropertyValue("method"),
    events: calendar.getAllSubcomponents("vevent").map(part => {
      const event = new ICAL.Event(part);
      return {
        uid: event.uid, title: event.summary, place: event.location,
        starts: event.startDate.toJSDate().toISOString(), ends: event.endDate.toJSDate().toISOString(),
        sequence: event.sequence, status: part.getFirstPropertyValue("status"),
      };
    }),
  };
})));
"""


def as_ical_js_reads(*files: str) -> list[dict]:
    if not (CHECKOUT / "node_modules" / "ical.js").exists():
        pytest.fail("ical.js is not installed: ./dev test does that.", pytrace=False)
    asked = json.dumps(files)
    done = subprocess.run(
        ["node", "-e", ICAL_JS], cwd=CHECKOUT, input=asked, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def as_icalendar_reads(file: str) -> dict:
    calendar = Calendar.from_ical(file)
    return {
        "method": str(calendar["METHOD"]),
        "events": [
            {
                "uid": str(event["UID"]),
                "title": str(event["SUMMARY"]),
                "place": str(event["LOCATION"]) if "LOCATION" in event else None,
                "starts": f"{event.start.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
                "ends": f"{event.end.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
                "sequence": int(event["SEQUENCE"]),
                "status": str(event["STATUS"]),
            }
            for event in calendar.events
        ],
    }


@pytest.fixture
def clock():
    # long after today: what is to come is asked of PostgreSQL too, whose clock does not travel
    with time_machine.travel(datetime(2045, 10, 24, 12, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def scene(clock, cast, settings):
    """Mia has a place on two Fridays, on either side of a change of clocks."""
    settings.SITE_HOST, settings.DEFAULT_FROM_EMAIL = "meet.example", "Office <office@meet.example>"
    Meeting.objects.all().delete()
    cast.series = make.series(
        cast.willow, weekdays=[4], from_on=date(2045, 10, 29), until_on=date(2045, 11, 11), start_time="18:30"
    )
    services.extend_series(MeetingSeries.objects.filter(pk=cast.series.pk))
    for number, meeting in enumerate(Meeting.objects.filter(series=cast.series).order_by("starts_at"), 1):
        Meeting.objects.filter(pk=meeting.pk).update(id=UUID(int=number))
        Participation.objects.create(
            meeting_id=UUID(int=number), member=cast.mia, rsvp="going", rsvp_at=datetime(2045, 10, 20, tzinfo=UTC)
        )
    open_calendar(cast.mia)
    cast.mia.refresh_from_db()
    return cast


def feed(scene, sign_in) -> str:
    return sign_in(None).get(reverse("meetings:calendar_feed", args=[scene.mia.calendar_token])).content.decode()


def one(scene, sign_in, number: int) -> str:
    return sign_in(scene.mia).get(reverse("meetings:meeting_calendar", args=[UUID(int=number)])).content.decode()


def plan(scene, clock):
    pass


def move(scene, clock):
    clock.shift(timedelta(days=1))
    MeetingSeries.objects.filter(pk=scene.series.pk).update(start_time="19:00")
    services.follow_series(scene.series, by=scene.carol)


def cancel_one(scene, clock):
    clock.shift(timedelta(days=1))
    services.cancel_meeting(Meeting.objects.get(pk=UUID(int=2)), by=scene.carol, reason="Flood")


def cancel_all(scene, clock):
    clock.shift(timedelta(days=1))
    services.suspend_series(scene.series, by=scene.carol, from_on=date(2045, 10, 30), reason="Summer")


def take_up_all(scene, clock):
    clock.shift(timedelta(days=1))
    services.resume_series(scene.series, by=scene.carol, on=date(2045, 10, 30))


def give_back(scene, clock):
    clock.shift(timedelta(days=1))
    services.answer_declined(Meeting.objects.get(pk=UUID(int=2)), by=scene.mia)


def name_the_group(scene, clock):
    name_groups_in_calendar(scene.mia)


@pytest.mark.parametrize("happens", [plan, move, cancel_one, cancel_all, give_back, name_the_group])
def test_files_are_as_kept_and_two_libraries_read_the_same(happens, scene, clock, sign_in):
    happens(scene, clock)
    files = {"feed": feed(scene, sign_in), "one": one(scene, sign_in, 2)}

    for name, file in files.items():
        kept = KEPT / f"{happens.__name__}-{name}.ics"
        assert file.replace("\r\n", "\n") == kept.read_text(), f"{kept} says otherwise"
    assert as_ical_js_reads(*files.values()) == [as_icalendar_reads(file) for file in files.values()]


@pytest.mark.parametrize(
    ("happens", "feed_says", "one_says"),
    [
        (plan, [("CONFIRMED", 0), ("CONFIRMED", 0)], ("PUBLISH", "CONFIRMED", 0)),
        (move, [("CONFIRMED", 1), ("CONFIRMED", 1)], ("PUBLISH", "CONFIRMED", 1)),
        (cancel_one, [("CONFIRMED", 0), ("CANCELLED", 1)], ("CANCEL", "CANCELLED", 1)),
        (cancel_all, [("CANCELLED", 1), ("CANCELLED", 1)], ("CANCEL", "CANCELLED", 1)),
        (give_back, [("CONFIRMED", 0)], ("CANCEL", "CANCELLED", 0)),
    ],
)
def test_what_happened_is_said_in_the_terms_of_calendars(happens, feed_says, one_says, scene, clock, sign_in):
    planned = as_icalendar_reads(feed(scene, sign_in))
    happens(scene, clock)

    mine, single = as_ical_js_reads(feed(scene, sign_in), one(scene, sign_in, 2))
    assert mine["method"] == "PUBLISH"
    assert [(event["status"], event["sequence"]) for event in mine["events"]] == feed_says
    (event,) = single["events"]
    assert (single["method"], event["status"], event["sequence"]) == one_says
    assert event["uid"] == planned["events"][1]["uid"]


def test_each_change_is_counted_and_stamped_later(scene, clock, sign_in):
    said = []
    for happens in (plan, move, cancel_all, take_up_all):
        happens(scene, clock)
        event = Calendar.from_ical(feed(scene, sign_in)).events[1]
        said.append((event["SEQUENCE"], str(event["STATUS"]), event.DTSTAMP))

    counted, statuses, stamps = zip(*said, strict=True)
    assert counted == (0, 1, 2, 3)
    assert statuses == ("CONFIRMED", "CONFIRMED", "CANCELLED", "CONFIRMED")
    assert list(stamps) == sorted(set(stamps))


def test_a_place_taken_again_is_newer_than_the_word_that_it_was_given_back(scene, clock, sign_in):
    """With one sequence number the later stamp counts (RFC 5546 §2.1.5)."""
    stamps = []
    for answer in (services.answer_declined, services.answer_going):
        clock.shift(timedelta(hours=1))
        answer(Meeting.objects.get(pk=UUID(int=2)), by=scene.mia)
        Participation.objects.filter(meeting=UUID(int=2)).update(rsvp_at=datetime.now(UTC))
        stamps.append(Calendar.from_ical(one(scene, sign_in, 2)).events[0].DTSTAMP)

    assert stamps[0] < stamps[1]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/Berlin"])
@pytest.mark.parametrize("change", [date(2026, 11, 1), date(2027, 3, 14)])
def test_any_zone_keeps_its_wall_time_over_a_change_of_clocks(zone, change, cast, sign_in):
    """Half an hour off, or changing by half an hour (Lord Howe), too."""
    cast.willow.time_zone = zone
    cast.willow.save()
    with time_machine.travel(datetime.combine(change - timedelta(days=20), datetime.min.time(), UTC), tick=False):
        series = make.series(cast.willow, weekdays=[6], from_on=change - timedelta(days=14), start_time="18:30")
        services.extend_series(MeetingSeries.objects.filter(pk=series.pk))
        for meeting in Meeting.objects.filter(series=series):
            make.participation(meeting, cast.mia)
        open_calendar(cast.mia)
        cast.mia.refresh_from_db()
        (read,) = as_ical_js_reads(feed(cast, sign_in))

    starts = [datetime.fromisoformat(event["starts"]).astimezone(ZoneInfo(zone)) for event in read["events"]]
    assert len(starts) >= 8
    assert {f"{start:%A %H:%M}" for start in starts} == {"Sunday 18:30"}
