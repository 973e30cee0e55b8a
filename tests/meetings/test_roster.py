from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from meetings import services
from meetings.models import Meeting, Participation
from tests import make


@pytest.fixture
def begun(cast):
    """Willow meets right now; Mia and Max said they would come."""
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=5))
    for member in (cast.mia, cast.max):
        make.participation(meeting, member)
    return meeting


@pytest.fixture
def tap(cast, sign_in, begun):
    client = sign_in(cast.carol)
    url = reverse("meetings:meeting_roster", args=[begun.pk])
    return lambda **data: client.post(url, data, follow=True)


def attendance(meeting):
    rows = Participation.objects.filter(meeting=meeting).values_list("member__display_name", "attendance")
    return dict(rows)


def test_one_tap_marks_a_person_and_the_meeting_is_held(cast, begun, tap):
    tap(record=f"{cast.mia.pk}:present")
    page = tap(record=f"{cast.max.pk}:absent").content.decode()

    begun.refresh_from_db()
    assert attendance(begun) == {"Mia": "present", "Max": "absent"}
    assert begun.status == "held"
    assert "1 person here" in page


def test_attendance_leaves_the_answer_alone(cast, begun, tap):
    tap(record=f"{cast.mia.pk}:absent")

    row = Participation.objects.get(meeting=begun, member=cast.mia)
    assert (row.rsvp, row.attendance, row.recorded_by) == ("going", "absent", cast.carol)


def test_undo_takes_the_mark_back(cast, begun, tap):
    tap(record=f"{cast.mia.pk}:late")
    tap(clear=str(cast.mia.pk))

    assert attendance(begun) == {"Mia": None, "Max": None}


def test_walk_in_by_code_is_here_and_undo_takes_them_off(cast, begun, tap):
    tap(walk_in="yes", code=f" {cast.vera.code.lower()} ")
    here = attendance(begun)
    tap(clear=str(cast.vera.pk))

    assert here["Vera"] == "present"
    assert "Vera" not in attendance(begun)


def test_unknown_code_says_so_and_adds_nobody(begun, tap):
    response = tap(walk_in="yes", code="M-XXXXXX")

    assert response.status_code == 400
    assert "No member has this code" in response.content.decode()
    assert Participation.objects.filter(meeting=begun).count() == 2


def test_people_without_a_name_are_counted(begun, tap):
    tap(headcount="+1")
    tap(headcount="+1")
    tap(headcount="-1")
    page = tap(headcount="-1")
    tap(headcount="-1")

    begun.refresh_from_db()
    assert begun.headcount == 0
    assert page.status_code == 200


@pytest.mark.parametrize("junk", ["", "x", "x:present", ":", "{mia}:elated", "{nora}:present"])
def test_junk_changes_nothing(cast, begun, tap, junk):
    response = tap(record=junk.format(mia=cast.mia.pk, nora=cast.nora.pk))

    assert response.status_code == 200
    assert attendance(begun) == {"Mia": None, "Max": None}


def test_roster_stays_shut_until_an_hour_before(cast, sign_in):
    participation = make.participation(cast.willow_meeting, cast.mia)
    url = reverse("meetings:meeting_roster", args=[cast.willow_meeting.pk])

    page = sign_in(cast.carol).post(url, {"record": f"{cast.mia.pk}:present"}, follow=True).content.decode()

    participation.refresh_from_db()
    assert participation.attendance is None
    assert "an hour before" in page


def test_meeting_that_did_not_happen_is_closed(cast, begun, tap):
    tap(did_not_meet="yes")

    begun.refresh_from_db()
    assert begun.status == Meeting.Status.DID_NOT_MEET


def test_saying_so_by_mistake_can_be_undone(cast, begun, tap):
    tap(did_not_meet="yes")
    tap(did_meet="yes")

    begun.refresh_from_db()
    assert begun.status == Meeting.Status.SCHEDULED
    assert begun.roster_is_open


def test_last_mark_undone_opens_the_meeting_again(cast, begun, tap):
    tap(headcount="+1")
    tap(headcount="-1")

    begun.refresh_from_db()
    assert begun.status == Meeting.Status.SCHEDULED


def test_tap_before_the_start_leaves_the_meeting_open_until_it_begins(cast, sign_in):
    soon = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(minutes=50))
    url = reverse("meetings:meeting_roster", args=[soon.pk])

    sign_in(cast.carol).post(url, {"headcount": "+1"})
    still_open = services.answer_going(soon, by=cast.mia)
    Meeting.objects.filter(pk=soon.pk).update(starts_at=timezone.now() - timedelta(minutes=1))

    assert still_open == "going"
    assert services.settle_begun() == 1
    assert services.settle_begun() == 0
    assert Meeting.objects.get(pk=soon.pk).status == Meeting.Status.HELD


def test_each_mark_is_on_the_audit_record_without_a_name(cast, begun, tap):
    tap(record=f"{cast.mia.pk}:present")

    event = AuditEvent.objects.get(action="attendance.recorded")
    assert (event.actor_id, event.object_id) == (cast.carol.pk, str(begun.pk))
    assert "Mia" not in str(event.details)


def test_new_people_are_marked_and_counted_once_here(cast, begun, tap):
    """Mia was in this group before, Max elsewhere only; Vera never came, though she was once expected."""
    ago = timezone.now() - timedelta(days=7)
    make.participation(make.meeting(cast.willow, starts_at=ago), cast.mia, attendance="late")
    make.participation(make.meeting(cast.cedar, starts_at=ago), cast.max, attendance="present")
    make.participation(make.meeting(cast.willow, starts_at=ago - timedelta(days=7)), cast.vera, attendance="absent")
    make.participation(begun, cast.vera)

    tap(record=f"{cast.mia.pk}:present")
    page = tap(record=f"{cast.max.pk}:present").content.decode()

    tags = {
        line.partition("</span>")[0]: [tag for tag in ("first meeting", "first time in this group") if tag in line]
        for line in page.split('<span class="who">')[1:]
    }
    assert tags == {"Mia": [], "Max": ["first time in this group"], "Vera": ["first meeting"]}
    assert "1 here for the first time" in page
    assert "1 not marked yet" in page


# --- Taps that may come late, with what their page showed (static/roster.js) ------------------------------------------


@pytest.mark.parametrize(
    ("noted", "tapped", "seen", "status", "now"),
    [
        (None, "record:present", "", 200, "present"),
        ("present", "record:absent", "present", 200, "absent"),
        ("present", "record:present", "", 200, "present"),  # it had arrived, and is sent once more
        ("late", "record:present", "", 409, "late"),
        ("late", "record:absent", "present", 409, "late"),
        (None, "record:absent", "present", 409, None),
        ("present", "clear", "present", 200, None),
        (None, "clear", "present", 200, None),
        ("excused", "clear", "present", 409, "excused"),
        (None, "record:elated", "", 400, None),
        (None, "walk_in", "", 400, None),
    ],
)
def test_tap_that_comes_late_is_written_over_nothing_else(cast, begun, sign_in, noted, tapped, seen, status, now):
    if noted:
        services.record_attendance(begun, cast.mia.pk, noted, by=cast.dan)
    name, _colon, mark = tapped.partition(":")
    value = f"{cast.mia.pk}:{mark}" if mark else str(cast.mia.pk)
    url = reverse("meetings:meeting_roster", args=[begun.pk])

    response = sign_in(cast.carol).post(url, {name: value, "seen": seen})

    assert (response.status_code, attendance(begun)["Mia"]) == (status, now)
    if status == 409:
        assert ("Dan noted “" if noted else "Somebody took the mark back") in response.content.decode()


def test_tap_that_comes_late_twice_is_on_the_record_once(cast, begun, tap):
    for _again in range(2):
        tap(record=f"{cast.mia.pk}:present", seen="")

    assert AuditEvent.objects.filter(action="attendance.recorded").count() == 1


@pytest.mark.parametrize(
    ("counted", "tapped", "seen", "status", "now"),
    [(2, "+1", "2", 200, 3), (2, "-1", "2", 200, 1), (3, "+1", "2", 409, 3), (0, "-1", "0", 409, 0)]
    + [(2, "+1", junk, 400, 2) for junk in ("", "x", "-1", "99999")]
    + [(2, "+5", "2", 400, 2)],
)
def test_count_goes_on_from_what_was_seen_only(begun, tap, counted, tapped, seen, status, now):
    Meeting.objects.filter(pk=begun.pk).update(headcount=counted)

    response = tap(headcount=tapped, seen=seen)

    begun.refresh_from_db()
    assert (response.status_code, begun.headcount) == (status, now)


def test_tap_that_comes_when_the_roster_is_closed_says_so(cast, begun, tap):
    services.mark_did_not_meet(begun, by=cast.dan)

    response = tap(record=f"{cast.mia.pk}:present", seen="")

    assert (response.status_code, attendance(begun)["Mia"]) == (409, None)
    assert "The roster is closed now" in response.content.decode()


def test_late_tap_for_whoever_left_the_roster_says_so(cast, begun, tap):
    response = tap(record=f"{cast.nora.pk}:present", seen="")

    assert response.status_code == 409
    assert "not on the roster any more" in response.content.decode()


@pytest.mark.parametrize("how_many", [3, 300])
def test_roster_costs_the_same_whoever_comes(cast, sign_in, how_many):
    meeting = make.meeting(cast.willow, starts_at=timezone.now(), capacity=how_many)
    for member in make.members(how_many):
        make.participation(meeting, member)
    client = sign_in(cast.carol)

    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("meetings:meeting_roster", args=[meeting.pk]))

    assert len(queries) == 9
