"""The attendance report: who sees which figures, of which weeks, and what is said when it cannot be shown."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from audit.models import AuditEvent
from groups.models import Facilitator
from meetings.models import Meeting, Participation
from reports import figures
from tests import make

URL = "/reports/attendance/"
NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)  # a Saturday


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def held(group, on, *, going=0, came=0, absent=0, walk_ins=0, **fields):
    """A meeting held at noon of a day, with so many people: `going` of whom nothing is noted, `came` and `absent` of
    those going."""
    meeting = make.meeting(
        group,
        starts_at=datetime(on.year, on.month, on.day, 17, tzinfo=UTC),
        **({"status": Meeting.Status.HELD, "capacity": 60} | fields),
    )
    kinds = [("going", None)] * going + [("going", "present")] * came + [("going", "absent")] * absent
    kinds += [(None, "late")] * walk_ins
    Participation.objects.bulk_create(
        Participation(
            meeting=meeting,
            member=member,
            rsvp=rsvp,
            rsvp_at=NOW if rsvp else None,
            attendance=attendance,
            recorded_at=NOW if attendance else None,
        )
        for member, (rsvp, attendance) in zip(make.members(len(kinds)), kinds, strict=True)
    )
    return meeting


@pytest.fixture
def figured(cast):
    """Willow met twice in one week and once in the next, Cedar once: figures that differ, so that a leak shows."""
    held(cast.willow, date(2026, 11, 2), going=1, came=5, absent=2, walk_ins=3, headcount=4)
    held(cast.willow, date(2026, 11, 8), came=7)
    held(cast.willow, date(2026, 11, 9), came=13, absent=4)
    held(cast.cedar, date(2026, 11, 4), came=37)
    return cast


def rows(response):
    """The rows of a downloaded file, by name, without its notes."""
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text.split("\r\n\r\n")[0])))


# --- Who sees what ----------------------------------------------------------------------------------------------------


def test_visitor_is_asked_to_sign_in(cast, sign_in):
    for name in ("reports:report_list", "reports:attendance"):
        response = sign_in(None).get(reverse(name))

        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


def test_members_and_superusers_without_a_role_see_no_figures(figured, sign_in):
    for member in (figured.mia, figured.vera, figured.sam):
        for name in ("reports:report_list", "reports:attendance"):
            assert sign_in(member).get(reverse(name)).status_code == 403


def test_counselor_sees_their_own_groups_by_week_exact(figured, sign_in):
    found = rows(sign_in(figured.carol).get(URL, {"format": "csv"}))

    assert [(row["group"], row["week_from"], row["week_to"]) for row in found] == [
        ("Willow evening", "2026-11-02", "2026-11-08"),
        ("Willow evening", "2026-11-09", "2026-11-15"),
    ]
    assert found[0] == {
        "group": "Willow evening",
        "week_from": "2026-11-02",
        "week_to": "2026-11-08",
        "held": "2",
        "roster_open": "0",
        "places": "120",
        "said_going": "15",
        "came": "15",
        "going_and_came": "12",
        "not_there": "2",
        "excused": "0",
        "not_noted": "1",
        "walk_ins": "3",
        "no_name": "4",
        "came_of_going_percent": "80",
        "came_of_places_percent": "13",
    }


def test_counselor_finds_nothing_of_another_group(figured, sign_in):
    page = sign_in(figured.carol).get(URL)

    assert "Willow evening" in page.text
    assert "Cedar morning" not in page.text
    assert "37" not in re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text)  # by chance it could be there


def test_group_of_another_counselor_is_refused_like_one_that_does_not_exist(figured, sign_in):
    answers = [sign_in(figured.carol).get(URL, {"group": slug}) for slug in ("cedar", "no-such-group")]

    assert [answer.status_code for answer in answers] == [400, 400]
    for answer in answers:
        assert "There is no such group among those you see." in answer.text
        assert "Cedar" not in answer.text


def test_former_facilitator_sees_nothing_any_more(figured, sign_in):
    Facilitator.objects.filter(member=figured.carol).delete()

    assert "No meeting was held in these weeks." in sign_in(figured.carol).get(URL).text


def test_coordinator_sees_all_groups_and_a_grand_total(figured, sign_in):
    page = sign_in(figured.olga).get(URL)

    assert "Of 240 places, 69 were taken and 62 used." in page.text
    assert "Besides, 3 came without a place and 4 without a name." in page.text
    assert "Cedar morning" in page.text
    assert "All together" in page.text


def test_coordinator_can_look_at_one_group(figured, sign_in):
    found = rows(sign_in(figured.olga).get(URL, {"group": "cedar", "format": "csv"}))

    assert [(row["group"], row["came"]) for row in found] == [("Cedar morning", "37")]


# --- Sums only --------------------------------------------------------------------------------------------------------


def test_reports_role_sees_weeks_of_all_groups_together_and_no_group(figured, sign_in):
    page = sign_in(figured.rita).get(URL)
    found = rows(sign_in(figured.rita).get(URL, {"format": "csv"}))

    assert "Willow" not in page.text
    assert "Cedar" not in page.text
    assert [(row["week_from"], row["held"], row["said_going"], row["came"]) for row in found] == [
        ("2026-11-02", "3", "52", "52"),
        ("2026-11-09", "1", "17", "13"),
    ]
    assert "Of 240 places, 69 were taken." in page.text
    assert "People came 65 times." in page.text


def test_reports_role_may_not_ask_for_a_group(figured, sign_in):
    answers = [sign_in(figured.rita).get(URL, {"group": slug}) for slug in ("willow", "no-such-group")]

    assert [answer.status_code for answer in answers] == [403, 403]
    for answer in answers:
        assert "You see sums over all groups." in answer.text
        assert "Willow" not in answer.text


def test_week_with_few_people_is_hidden_with_its_total_on_page_and_in_file(figured, sign_in):
    held(figured.cedar, date(2026, 10, 26), came=9, capacity=77)

    page = sign_in(figured.rita).get(URL)
    found = rows(sign_in(figured.rita).get(URL, {"format": "csv"}))

    assert "fewer than 11 people" in page.text
    assert "All together" not in page.text
    assert "77" not in re.sub(r"<[^>]*>", " ", page.text)  # what stands in tags is chance
    assert [row["came"] for row in found] == ["", "52", "13"]
    assert {name: value for name, value in found[0].items() if value} == {
        "week_from": "2026-10-26",
        "week_to": "2026-11-01",
        "hidden": "fewer than 11 people",
    }


def test_many_visits_of_few_people_are_few(cast, sign_in):
    people = make.members(4)
    for day in range(2, 6):
        meeting = held(cast.willow, date(2026, 11, day))
        for member in people:
            make.participation(meeting, member, attendance="present")

    found = rows(sign_in(cast.rita).get(URL, {"format": "csv"}))

    assert [row["hidden"] for row in found] == ["fewer than 11 people"]


def test_reports_role_sees_no_week_that_is_not_over(figured, sign_in):
    held(figured.willow, date(2026, 11, 16), came=20)

    asked = {"from": "2026-11-16", "to": "2026-11-22"}
    assert "No meeting was held in these weeks." in sign_in(figured.rita).get(URL, asked).text
    assert rows(sign_in(figured.rita).get(URL, asked | {"format": "csv"})) == []
    assert "Of 60 places, 20 were taken" in sign_in(figured.olga).get(URL, asked).text


def test_reports_role_sees_no_week_with_an_open_roster(figured, sign_in):
    """Seen before and after it is noted, the week would differ by one meeting."""
    held(figured.cedar, date(2026, 11, 10), going=20, status=Meeting.Status.SCHEDULED)

    found = rows(sign_in(figured.rita).get(URL, {"format": "csv"}))

    assert [(row["said_going"], row["hidden"]) for row in found] == [("52", ""), ("", "not complete yet")]


def test_smallest_count_is_a_setting(figured, sign_in, settings):
    settings.SMALLEST_COUNT_SHOWN = 14

    found = rows(sign_in(figured.rita).get(URL, {"format": "csv"}))

    assert [row["came"] for row in found] == ["52", ""]


# --- Which weeks ------------------------------------------------------------------------------------------------------


def test_without_dates_the_last_twelve_weeks_are_shown(cast, sign_in):
    response = sign_in(cast.olga).get(URL, {"format": "csv"})

    assert response["Content-Disposition"] == 'attachment; filename="figures-2026-08-31-to-2026-11-22.csv"'


def test_days_asked_for_grow_to_whole_weeks(figured, sign_in):
    asked = {"from": "2026-11-04", "to": "2026-11-04", "group": "willow", "format": "csv"}

    found = rows(sign_in(figured.olga).get(URL, asked))

    assert [(row["week_from"], row["held"]) for row in found] == [("2026-11-02", "2")]


def test_meeting_counts_in_the_week_of_its_own_clock(cast):
    """Sunday evening in Los Angeles is Monday in UTC."""
    there = make.group(time_zone="America/Los_Angeles")
    late = datetime(2026, 11, 9, 4, tzinfo=UTC)
    make.meeting(there, starts_at=late, status=Meeting.Status.HELD)
    make.meeting(cast.willow, starts_at=late + timedelta(hours=2), status=Meeting.Status.HELD)

    report = figures.exact([there.pk, cast.willow.pk], date(2026, 11, 1), date(2026, 11, 30))

    weeks = {section.name: section.lines[0].week for section in report.sections}
    assert weeks == {there.name: date(2026, 11, 2), "Willow evening": date(2026, 11, 9)}


def test_closed_time_gives_the_same_figures_later(figured, sign_in):
    asked = {"from": "2026-11-02", "to": "2026-11-15", "format": "csv"}
    now = rows(sign_in(figured.olga).get(URL, asked))

    with time_machine.travel(NOW + timedelta(days=400), tick=False):
        assert rows(sign_in(figured.olga).get(URL, asked)) == now


def test_open_roster_is_told_and_not_counted(figured, sign_in):
    held(figured.willow, date(2026, 11, 20), going=8, status=Meeting.Status.SCHEDULED)

    page = sign_in(figured.carol).get(URL)

    assert "1 meeting has begun and nobody has noted yet who came. It is not counted." in page.text
    assert "Of 180 places, 32 were taken" in page.text


# --- The page ---------------------------------------------------------------------------------------------------------


def test_every_column_is_explained_on_page_and_in_file(figured, sign_in):
    page = sign_in(figured.olga).get(URL)
    file = b"".join(sign_in(figured.olga).get(URL, {"format": "csv"})).decode()

    for text in ("People whose last answer was “going”: the places taken.", "“Came” divided by “Places”."):
        assert text in page.text
        assert text in file
    for answer in (page.text, file):
        assert "42 CFR part 2 prohibits unauthorized use or disclosure of these records." in answer


def test_title_and_file_name_say_nothing(figured, sign_in):
    page = sign_in(figured.olga).get(URL, {"group": "willow"})

    assert "<title>Attendance · Meetings</title>" in page.text


def test_form_is_filled_in_with_what_is_shown(figured, sign_in):
    page = sign_in(figured.olga).get(URL, {"to": "2026-11-12", "group": "willow"})

    assert '<input type="date" name="from" value="2026-08-24" id="id_from">' in page.text
    assert '<input type="date" name="to" value="2026-11-15" id="id_to">' in page.text
    assert '<option value="willow" selected>Willow evening</option>' in page.text


def test_nothing_held_says_so(cast, sign_in):
    page = sign_in(cast.olga).get(URL)

    assert page.status_code == 200
    assert "No meeting was held in these weeks." in page.text
    assert "<table" not in page.text


def test_figures_without_a_denominator_are_a_dash(cast, sign_in):
    held(cast.willow, date(2026, 11, 2), walk_ins=1)

    assert '<td class="number">–</td>' in sign_in(cast.olga).get(URL).text
    assert rows(sign_in(cast.olga).get(URL, {"format": "csv"}))[0]["came_of_going_percent"] == ""


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"from": "2026-11-20", "to": "2026-11-01"}, "This day is before the first one. Swap the two."),
        ({"from": "31/10/2026"}, "This is not a date."),
        ({"from": "2026-02-30"}, "This is not a date."),
        ({"to": "9999-12-31"}, "There are no figures for that year."),
        ({"from": "0001-01-01"}, "There are no figures for that year."),
        ({"from": "2023-11-20", "to": "2026-11-21"}, "This is more than three years. Choose a shorter time."),
        ({"group": "no-such-group"}, "There is no such group among those you see."),
        ({"format": "exe"}, "There are two formats: html and csv."),
        ({"from": "2026-11-20", "to": "2026-11-01", "format": "csv"}, "This day is before the first one."),
        ({"from": "\x00"}, "This is not a date."),
    ],
)
def test_bad_input_is_answered_with_a_sentence_and_kept(cast, sign_in, asked, sentence):
    answer = sign_in(cast.olga).get(URL, asked)

    assert answer.status_code == 400
    assert sentence in answer.text
    for name in ("from", "to"):
        if "\x00" not in asked.get(name, ""):
            assert asked.get(name, "") in answer.text


def test_three_years_to_the_day_can_be_shown(cast, sign_in):
    assert sign_in(cast.olga).get(URL, {"from": "2024-02-29", "to": "2027-02-28"}).status_code == 200


def test_first_day_in_the_future_shows_nothing_rather_than_failing(cast, sign_in):
    for member in (cast.olga, cast.rita):
        assert sign_in(member).get(URL, {"from": "2027-03-01"}).status_code == 200


# --- The file ---------------------------------------------------------------------------------------------------------


def test_download_is_recorded_with_ids_and_counts_only(figured, sign_in):
    sign_in(figured.carol).get(URL, {"format": "csv", "group": "willow"})

    event = AuditEvent.objects.get(action="report.exported")
    assert event.actor_id == figured.carol.pk
    assert event.details == {
        "report": "attendance",
        "first": "2026-08-31",
        "last": "2026-11-22",
        "group": figured.willow.pk,
        "lines": 2,
    }


def test_looking_at_the_page_is_no_export(figured, sign_in):
    sign_in(figured.carol).get(URL)

    assert not AuditEvent.objects.filter(action="report.exported").exists()


def test_group_named_like_a_formula_is_inert_in_the_file(cast, sign_in):
    evil = '=HYPERLINK("http://x")'
    held(make.group(name=evil, slug="evil"), date(2026, 11, 2), came=1)

    response = sign_in(cast.olga).get(URL, {"format": "csv", "group": "evil"})
    text = b"".join(response).decode("utf-8-sig")

    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert f"'{evil}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


# --- Speed ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how_many", [3, 300])
@pytest.mark.parametrize(
    ("who", "form", "queries"), [("olga", "html", 5), ("olga", "csv", 5), ("rita", "html", 4), ("rita", "csv", 5)]
)
def test_queries_do_not_grow_with_the_rows(cast, sign_in, django_assert_num_queries, how_many, who, form, queries):
    for n in range(how_many // 3):
        group = make.group()
        for week in range(3):
            held(group, date(2026, 11, 2) + timedelta(weeks=week), came=1, capacity=n + 10)
    client = sign_in(getattr(cast, who))
    client.get(URL)

    with django_assert_num_queries(queries):
        b"".join(client.get(URL, {"format": form}))


def test_many_groups_fold_to_a_line_each(cast, sign_in, monkeypatch):
    monkeypatch.setattr("reports.views.MOST_LINES", 3)
    for week in range(4):
        held(cast.willow, date(2026, 10, 19) + timedelta(weeks=week), came=week + 1)
    held(cast.cedar, date(2026, 11, 4), came=37)

    page = sign_in(cast.olga).get(URL)

    assert "each group has one line" in page.text
    assert "<time" not in page.text
    assert len(rows(sign_in(cast.olga).get(URL, {"format": "csv"}))) == 5


def test_only_the_weeks_asked_for_are_read(figured):
    report = figures.exact([figured.willow.pk], date(2026, 11, 9), date(2026, 11, 15))

    assert [line.week for section in report.sections for line in section.lines] == [date(2026, 11, 9)]
    assert report.total["came"] == 13
