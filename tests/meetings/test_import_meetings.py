"""`manage.py import_meetings`: a feed becomes groups that meet, and again with a newer feed only what changed moves."""

import io
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, models

from audit.models import AuditEvent
from groups.models import Group
from meetings import services
from meetings.models import Meeting, MeetingSeries, Participation, Suspension
from meetings.services import feed_import
from outbox.models import Email
from tests import make

pytestmark = pytest.mark.django_db

ZONE = "America/Los_Angeles"
TABLES = [Group, MeetingSeries, Suspension, Meeting, Participation, Email, AuditEvent]
HERE, ROUGHLY, LINK = "12 Hidden Lane, Riverside, CA 95000, USA", "Riverside, CA, USA", "https://meet.example.org/a"
NOW = datetime.now(UTC)  # PostgreSQL's clock cannot be set, so the tests stand still where they began
TODAY = NOW.astimezone(ZoneInfo(ZONE)).date()
FIRST = TODAY + timedelta(days=3)  # when the usual row meets first


@pytest.fixture(autouse=True)
def _stand_still(time_machine):
    time_machine.move_to(NOW, tick=False)


def feed_day(on: date) -> int:
    """Sunday = 0."""
    return on.isoweekday() % 7


def row(slug="morning-light", **fields):
    """A plain weekly meeting in a room, at half past six, for the first time in three days."""
    return {
        "name": "Morning light",
        "slug": slug,
        "day": feed_day(FIRST),
        "time": "18:30",
        "end_time": "20:00",
        "timezone": ZONE,
        "formatted_address": HERE,
        "types": ["O"],
    } | fields


@pytest.fixture
def run(tmp_path):
    """Runs the command on rows; what it printed, line by line."""

    def run(*rows, **options) -> list[str]:
        path = tmp_path / "feed.json"
        path.write_text(json.dumps(rows))
        out = io.StringIO()
        call_command("import_meetings", str(path), stdout=out, stderr=io.StringIO(), **options)
        return out.getvalue().splitlines()

    return run


def dump() -> dict[str, set]:
    """Every row of every table concerned and where it lies, which any writing changes: equal if nothing was touched."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT ctid::text, t::text FROM {table._meta.db_table} AS t")
            found[table.__name__] = set(cursor.fetchall())
    return found


def coming(slug="morning-light") -> models.QuerySet:
    return Meeting.objects.upcoming().filter(group__feed_slug=slug).in_order()


def somebody_coming(meeting: Meeting):
    member = make.member()
    make.membership(meeting.group, member)
    assert services.answer_going(meeting, by=member) == "going"
    return member


# --- The first time ---------------------------------------------------------------------------------------------------


def test_row_becomes_a_group_with_a_series_and_twelve_weeks_of_meetings(run):
    lines = run(row(types=["W", "X"], region="Riverside", location="Community house", notes="Steps &amp; more"))

    group = Group.objects.get()
    series = group.series.get()
    assert (group.name, group.slug, group.feed_slug) == ("Morning light", "morning-light", "morning-light")
    assert (group.kind, group.audience, group.mode, group.capacity) == ("12-step", "women", "in-person", 12)
    assert (group.area, group.place, group.address) == ("Riverside", "Community house", HERE)
    assert (group.description, group.is_wheelchair_accessible, group.is_listed) == ("Steps & more", True, True)
    assert (series.weekdays, series.minutes, series.from_on) == ([FIRST.weekday()], 90, TODAY)
    assert [meeting.local_date for meeting in coming()] == [FIRST + timedelta(weeks=n) for n in range(12)]
    assert {f"{meeting.local_start:%H:%M}" for meeting in coming()} == {"18:30"}
    assert lines == [
        "Rows: 1 read, 0 skipped",
        "Groups: 1 created, 0 changed, 0 unchanged",
        "Meetings: 12 made, 0 changed or cancelled",
        "Suspensions: 0 begun (0 go on online), 0 ended",
    ]


def test_several_days_are_one_series(run):
    days = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=3)]

    run(row(day=[feed_day(day) for day in days]))

    assert MeetingSeries.objects.get().weekdays == sorted(day.weekday() for day in days)
    assert coming().count() == 36


def test_address_of_a_group_is_made_of_its_slug_and_is_nobody_elses(run):
    make.group(slug="morning-light")
    make.group(slug="x" * 64)

    run(row(), row("Morning-Light"), row("x" * 64), row("早安", name="早安"))

    assert dict(Group.objects.from_feed().values_list("feed_slug", "slug")) == {
        "morning-light": "morning-light-2",
        "Morning-Light": "morning-light-3",
        "x" * 64: "x" * 62 + "-2",
        "早安": "group",
    }


def test_link_and_address_are_kept_for_those_with_a_place(run):
    run(row(formatted_address=ROUGHLY, conference_url=LINK, city="Riverside"))

    group = Group.objects.get()
    assert (group.mode, group.link, group.address, group.area) == ("online", LINK, ROUGHLY, "Riverside")


def test_zone_and_places_are_those_of_the_command(run):
    run(row(timezone=None), time_zone="America/New_York", capacity=30)

    assert Group.objects.get().time_zone == MeetingSeries.objects.get().time_zone == "America/New_York"
    assert {meeting.capacity for meeting in coming()} == {30}


def test_closed_place_suspends_the_group_until_further_notice(run):
    lines = run(row(types=["O", "TC"]))

    suspension = Suspension.objects.get()
    assert (suspension.from_on, suspension.until_on, suspension.place_only) == (TODAY, None, False)
    assert not Meeting.objects.exists()
    assert "Suspensions: 1 begun (0 go on online), 0 ended" in lines


def test_closed_place_of_a_group_with_a_link_goes_on_online(run):
    lines = run(row(types=["O", "TC"], conference_url=LINK))

    assert Group.objects.get().mode == "hybrid"
    assert Suspension.objects.get().place_only is True
    assert [meeting.mode for meeting in coming()] == ["online"] * 12
    assert "Suspensions: 1 begun (1 go on online), 0 ended" in lines


def test_rows_that_cannot_be_used_are_named_and_the_others_land(run):
    lines = run(
        row("one", types=["O", "ZOOM"]),
        row("two", day=None),
        row("three", timezone="Mars/Base"),
        row("one", name="Twice"),
        row("four", time="19:15", end_time="08:15"),
        "junk",
        row("five", timezone=None),
        row("six", name="nul\0"),
    )

    assert set(Group.objects.values_list("feed_slug", flat=True)) == {"one", "four"}
    assert lines == [
        "Rows: 8 read, 6 skipped",
        "Groups: 2 created, 0 changed, 0 unchanged",
        "Meetings: 24 made, 0 changed or cancelled",
        "Suspensions: 0 begun (0 go on online), 0 ended",
        "Notes (2):",
        "  row 1 (one): unknown type codes: 'ZOOM'",
        "  row 5 (four): from 19:15 to 08:15 cannot be right: taken as 60 minutes",
        "Skipped (6):",
        "  row 2 (two): it has no day: only weekly meetings can be taken over",
        "  row 3 (three): 'Mars/Base' is not a time zone such as America/New_York",
        "  row 4 (one): row 1 has the same slug",
        "  row 6: it is not an object with fields",
        "  row 7 (five): it names no time zone: pass one with --time-zone, such as America/New_York",
        "  row 8 (six): name holds a NUL character",
    ]


def test_row_the_database_refuses_does_not_keep_the_others_out(run):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE groups_group ADD CONSTRAINT no_cedar CHECK (name <> 'Cedar')")

    lines = run(row("one"), row("two", name="Cedar"), row("three"))

    assert set(Group.objects.values_list("feed_slug", flat=True)) == {"one", "three"}
    assert lines[0] == "Rows: 3 read, 1 skipped"
    assert lines[-1].startswith("  row 2 (two): the database refused it: new row for relation")
    assert coming("three").count() == 12


def test_progress_is_told_after_each_batch(run, tmp_path, monkeypatch):
    monkeypatch.setattr(feed_import, "BATCH", 2)
    path = tmp_path / "five.json"
    path.write_text(json.dumps([row(f"group-{n}") for n in range(5)]))
    err = io.StringIO()

    call_command("import_meetings", str(path), stdout=io.StringIO(), stderr=err)

    assert err.getvalue().splitlines() == ["2 of 5 rows", "4 of 5 rows", "5 of 5 rows"]


def test_import_is_on_the_record(run):
    run(row(types=["TC"]))

    assert list(AuditEvent.objects.order_by("id").values_list("action", "object_id")) == [
        ("group.imported", str(Group.objects.get().pk)),
        ("series.suspended", str(MeetingSeries.objects.get().pk)),
    ]


# --- What cannot be imported at all -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"time_zone": "Mars/Base"}, "'Mars/Base' is not a time zone. Write one such as America/New_York."),
        ({"capacity": 1}, "--capacity must be from 2 to 200."),
        ({"capacity": 201}, "--capacity must be from 2 to 200."),
    ],
)
def test_wrong_option_is_refused(run, options, why):
    with pytest.raises(CommandError, match=why):
        run(row(), **options)

    assert not Group.objects.exists()


def test_file_that_is_no_feed_is_refused(tmp_path):
    path = tmp_path / "feed.json"
    path.write_text("<html>")

    with pytest.raises(CommandError, match=r"is not JSON") as refused:
        call_command("import_meetings", str(path))
    assert refused.value.returncode == 1


def test_feed_without_one_good_row_is_an_error(run):
    with pytest.raises(CommandError, match="No row could be used"):
        run(row(day=None), row(timezone="Mars/Base"))


def test_empty_feed_changes_nothing(run):
    assert run()[0] == "Rows: 0 read, 0 skipped"


# --- Again ------------------------------------------------------------------------------------------------------------


def test_second_import_touches_nothing(run):
    rows = [
        row("one"),
        row("two", types=["TC"]),
        row("three", types=["TC"], conference_url=LINK),
        row("four", day=None),
    ]
    run(*rows)
    before = dump()

    lines = run(*reversed(rows))

    assert dump() == before
    assert lines[:4] == [
        "Rows: 4 read, 1 skipped",
        "Groups: 0 created, 0 changed, 3 unchanged",
        "Meetings: 0 made, 0 changed or cancelled",
        "Suspensions: 0 begun (0 go on online), 0 ended",
    ]


def test_group_gone_from_the_feed_is_left_as_it_is(run):
    make.group()
    run(row("one"), row("two"), row("three"))

    lines = run(row("one"), row("two", day=None))

    assert Group.objects.from_feed().count() == 3
    assert "Groups of earlier imports that are not in this feed, left as they are: 1" in lines


def test_new_name_changes_the_group_and_no_meeting(run):
    run(row())
    before = list(Meeting.objects.order_by("pk").values())

    lines = run(row(name="Evening light", types=["M", "XT", "POA"]))

    group = Group.objects.get()
    assert (group.name, group.slug, group.audience) == ("Evening light", "morning-light", "men")
    assert (group.cross_talk, group.gives_attendance_letters) == ("yes", True)
    assert list(Meeting.objects.order_by("pk").values()) == before
    assert lines[1:3] == ["Groups: 0 created, 1 changed, 0 unchanged", "Meetings: 0 made, 0 changed or cancelled"]


def test_new_time_moves_coming_meetings_and_tells_who_was_to_come(run):
    run(row())
    member = somebody_coming(coming().first())
    past = make.meeting(Group.objects.get(), series=MeetingSeries.objects.get(), starts_at=NOW - timedelta(days=4))
    was = past.starts_at

    lines = run(row(time="19:00"))

    past.refresh_from_db()
    assert past.starts_at == was
    assert [f"{meeting.local_start:%H:%M}–{meeting.local_end:%H:%M}" for meeting in coming()] == ["19:00–20:00"] * 12
    assert list(Email.objects.values_list("kind", "recipient")) == [("moved", member.pk)]
    assert lines[2] == "Meetings: 0 made, 12 changed or cancelled"


def test_new_day_moves_a_meeting_within_its_week_with_its_people(run):
    run(row(day=2))
    meeting = coming()[1]
    somebody_coming(meeting)
    tuesday = meeting.local_date

    run(row(day=4))

    meeting.refresh_from_db()
    assert (meeting.local_date, meeting.places_taken) == (tuesday + timedelta(days=2), 1)
    assert {one.local_date.weekday() for one in coming()} == {3}


def test_day_taken_away_cancels_what_people_had_answered_and_drops_the_rest(run):
    other = FIRST + timedelta(days=1)
    run(row(day=[feed_day(FIRST), feed_day(other)]))
    meeting = coming().get(local_date=other)
    member = somebody_coming(meeting)

    run(row())

    on_that_day = Meeting.objects.filter(local_date__iso_week_day=other.isoweekday())
    assert list(on_that_day.values_list("pk", "status")) == [(meeting.pk, "cancelled")]
    assert coming().count() == 12
    assert list(Email.objects.values_list("kind", "recipient")) == [("cancelled", member.pk)]


def test_place_that_closes_cancels_the_coming_meetings_and_comes_back_when_it_opens(run, time_machine):
    run(row())
    member = somebody_coming(coming().first())
    before = set(coming().values_list("pk", flat=True))

    lines = run(row(types=["O", "TC"]))

    assert not coming().exists()
    assert lines[2:4] == ["Meetings: 0 made, 12 changed or cancelled", "Suspensions: 1 begun (0 go on online), 0 ended"]
    assert list(Email.objects.values_list("kind", "recipient")) == [("cancelled", member.pk)]

    time_machine.move_to(NOW + timedelta(days=1), tick=False)
    lines = run(row())

    assert set(coming().values_list("pk", flat=True)) == before
    assert Suspension.objects.get().until_on == TODAY
    assert lines[2:4] == ["Meetings: 0 made, 12 changed or cancelled", "Suspensions: 0 begun (0 go on online), 1 ended"]


def test_place_closed_from_the_first_import_makes_meetings_when_it_opens(run):
    run(row(types=["TC"]))

    lines = run(row())

    assert coming().count() == 12
    assert lines[2:4] == ["Meetings: 12 made, 0 changed or cancelled", "Suspensions: 0 begun (0 go on online), 1 ended"]


def test_group_that_gets_a_link_while_its_place_is_closed_meets_online(run):
    run(row(types=["TC"]))

    run(row(types=["TC"], conference_url=LINK))

    assert [meeting.mode for meeting in coming()] == ["online"] * 12
    assert Suspension.objects.of_feed().get().place_only is True


def test_suspension_by_hand_stands_whatever_the_feed_says(run):
    run(row(types=["TC"], conference_url=LINK))
    holidays = TODAY + timedelta(weeks=4)
    by_hand = services.suspend_series(MeetingSeries.objects.get(), by=None, from_on=holidays)

    run(row(conference_url=LINK, name="Evening light"))

    assert list(Suspension.objects.all()) == [by_hand]
    assert {meeting.mode for meeting in coming()} == {"hybrid"}
    assert max(meeting.local_date for meeting in coming()) < holidays


def test_more_places_go_to_those_in_line_and_taken_ones_stay(run):
    run(row(), capacity=2)
    meeting = coming().first()
    people = [somebody_coming(meeting), somebody_coming(meeting), make.member()]
    make.membership(meeting.group, people[2])
    assert services.answer_going(meeting, by=people[2]) == "waitlisted"

    run(row(), capacity=5)

    assert {one.capacity for one in coming()} == {5}
    assert Participation.objects.get(member=people[2]).rsvp == "offered"

    run(row(), capacity=2)

    assert list(coming().values_list("capacity", flat=True))[:3] == [5, 2, 2]


def test_places_set_by_hand_stand_when_the_command_names_none(run):
    run(row())
    Group.objects.update(capacity=7)

    run(row(name="Evening light"))

    assert Group.objects.get().capacity == 7


def test_group_or_series_taken_away_by_hand_comes_back_when_the_feed_changes(run):
    run(row("one"), row("two"))
    Group.objects.get(feed_slug="one").delete()
    MeetingSeries.objects.all().delete()

    run(row("one"), row("two", name="Evening light"))

    assert [coming(slug).count() for slug in ("one", "two")] == [12, 12]


def test_change_the_database_refuses_leaves_that_group_as_it_was(run):
    run(row("one"), row("two"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE groups_group ADD CONSTRAINT no_cedar CHECK (name <> 'Cedar')")

    lines = run(row("one", name="Cedar", time="10:00"), row("two", name="Birch"))

    assert dict(Group.objects.values_list("feed_slug", "name")) == {"one": "Morning light", "two": "Birch"}
    assert {f"{meeting.local_start:%H:%M}" for meeting in coming("one")} == {"18:30"}
    assert lines[-1].startswith("  row 1 (one): the database refused it: ")


def test_dry_run_prints_the_same_and_changes_nothing(run):
    run(row("one"), row("two", types=["TC"]))
    somebody_coming(coming("one").first())
    newer = [row("one", time="19:00"), row("two"), row("three"), row("four", day=None)]
    before = dump()

    dry = run(*newer, dry_run=True)

    assert dump() == before
    assert dry == [*run(*newer), "Dry run: nothing was changed."]
    assert "Groups: 1 created, 2 changed, 0 unchanged" in dry


@pytest.mark.parametrize("how_many", [3, 150])
def test_queries_of_an_import_do_not_grow_with_the_rows(run, how_many, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        run(*[row(f"group-{n}", types=["TC"] if n % 2 else []) for n in range(how_many)])


# --- A real city ------------------------------------------------------------------------------------------------------

CHECKOUT = Path(settings.BASE_DIR)
REAL_FEED = CHECKOUT / os.environ.get("REAL_MEETING_FEED", "../shared/data/meetings-san-jose.json")


def dates_the_row_meets(one: dict) -> set[date]:
    """Day by day, without our rules: the dates in the coming twelve weeks, none if the place is closed for all."""
    if "TC" in one["types"] and not one.get("conference_url"):
        return set()
    now = NOW.astimezone(ZoneInfo(ZONE))
    days = (now.date() + timedelta(days=n) for n in range(7 * settings.WEEKS_AHEAD))
    begun = one["time"] <= f"{now:%H:%M}"
    return {day for day in days if feed_day(day) == one["day"] and not (day == now.date() and begun)}


def test_real_city_becomes_groups_that_meet():
    if not REAL_FEED.is_file():
        pytest.skip(f"no real meeting feed at {REAL_FEED}; name one in REAL_MEETING_FEED")
    rows = json.loads(REAL_FEED.read_text())
    out = io.StringIO()

    call_command("import_meetings", str(REAL_FEED), time_zone=ZONE, stdout=out, stderr=io.StringIO())

    first_with_slug = {one["slug"]: one for one in reversed(rows)}
    expected = {slug: dates_the_row_meets(one) for slug, one in first_with_slug.items()}
    found: dict[str, set[date]] = {slug: set() for slug in first_with_slug}
    for slug, on in Meeting.objects.values_list("group__feed_slug", "local_date"):
        found[slug].add(on)
    assert found == expected
    assert Meeting.objects.count() == sum(len(dates) for dates in expected.values())
    # two of its rows share a slug
    assert (len(rows), Group.objects.count(), MeetingSeries.objects.count()) == (693, 692, 692)
    assert (Suspension.objects.count(), Suspension.objects.filter(place_only=True).count()) == (319, 198)
    assert set(Meeting.objects.filter(series__suspensions__place_only=True).values_list("mode", flat=True)) == {
        "online"
    }
    assert out.getvalue().splitlines()[4:] == [
        "Notes (3):",
        "  row 133 (sundowners-dinner-meeting): from 19:15 to 08:15 cannot be right: taken as 60 minutes",
        "  row 332 (pass-it-on-group): from 09:30 to 22:30 cannot be right: taken as 60 minutes",
        "  row 360 (sunday-night-survivors): from 19:30 to 19:30 cannot be right: taken as 60 minutes",
        "Skipped (1):",
        "  row 512 (pass-it-on-group): row 332 has the same slug",
    ]
    before = dump()

    call_command("import_meetings", str(REAL_FEED), time_zone=ZONE, stdout=out, stderr=io.StringIO())

    assert dump() == before
