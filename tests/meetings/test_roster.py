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


@pytest.mark.parametrize("how_many", [3, 300])
def test_roster_costs_the_same_whoever_comes(cast, sign_in, how_many):
    meeting = make.meeting(cast.willow, starts_at=timezone.now(), capacity=how_many)
    for member in make.members(how_many):
        make.participation(meeting, member)
    client = sign_in(cast.carol)

    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("meetings:meeting_roster", args=[meeting.pk]))

    assert len(queries) == 8
