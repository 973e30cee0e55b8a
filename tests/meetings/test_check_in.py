"""Members who check in themselves by the code of the room."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Membership
from meetings import services
from meetings.models import CheckInCode, Meeting, Participation
from tests import make

URL = "/check-in/"


@pytest.fixture
def begun(cast):
    return make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=5))


def code_of(meeting) -> str:
    return CheckInCode.objects.get(meeting=meeting).code


def opened(meeting, cast) -> str:
    assert services.open_check_in(meeting, by=cast.carol)
    return code_of(meeting)


def attendance(meeting) -> dict:
    return dict(Participation.objects.filter(meeting=meeting).values_list("member__display_name", "attendance"))


def test_member_types_the_code_that_the_roster_shows_and_is_here(cast, begun, sign_in):
    carol, mia = sign_in(cast.carol), sign_in(cast.mia)
    roster = reverse("meetings:meeting_roster", args=[begun.pk])

    page = carol.post(roster, {"check_in": "on"}, follow=True).content.decode()
    code = code_of(begun)
    answer = mia.post(URL, {"code": f" {code[:3].lower()} {code[3:]}"}, follow=True).content.decode()
    after = carol.get(roster).content.decode()

    assert re.search(rf'class="letters">{code}<', page)
    assert '<svg class="scan" role="img"' in page
    assert "style=" not in page.partition("<svg")[2].partition("</svg>")[0]
    assert "You are marked as here." in answer
    assert attendance(begun) == {"Mia": "present"}
    assert "checked in" in after
    begun.refresh_from_db()
    assert begun.status == "held"
    noted = AuditEvent.objects.filter(action__in=["check_in.opened", "attendance.checked_in"]).order_by("pk")
    assert [(one.actor_id, one.object_id) for one in noted] == [
        (one.pk, str(begun.pk)) for one in (cast.carol, cast.mia)
    ]


def test_link_of_the_picture_brings_the_code_along_and_marks_nobody(cast, begun, sign_in):
    code = opened(begun, cast)

    page = sign_in(cast.mia).get(URL, {"code": code}).content.decode()

    assert f'value="{code}"' in page
    assert attendance(begun) == {}


def test_wrong_old_early_foreign_and_closed_codes_all_get_one_answer(cast, begun, sign_in):
    now = timezone.now()
    opened(begun, cast)
    foreign = make.meeting(cast.cedar, starts_at=now)
    services.open_check_in(foreign, by=cast.dan)
    other = {"over": now - timedelta(hours=2), "early": now + timedelta(minutes=31), "off": now, "closed": now}
    meetings = {name: make.meeting(make.group(), starts_at=starts_at) for name, starts_at in other.items()}
    for one in meetings.values():
        make.membership(one.group, cast.mia)
        CheckInCode.objects.create(meeting=one)
    meetings["off"].status = "cancelled"
    meetings["off"].save()
    codes = {"wrong": "222222", "foreign": code_of(foreign), **{name: code_of(one) for name, one in meetings.items()}}
    services.close_check_in(meetings["closed"], by=cast.olga)
    mia = sign_in(cast.mia)

    answers = {}
    for name, code in codes.items():
        response = mia.post(URL, {"code": code})
        page = response.content.decode().partition("<main")[2].replace(code, "")
        answers[name] = (response.status_code, re.sub(r'value="\w{64}"', "", page))

    assert {status for status, _page in answers.values()} == {400}
    assert len(set(answers.values())) == 1
    assert not Participation.objects.filter(attendance__isnull=False).exists()


@pytest.mark.parametrize(("minutes", "works"), [(31, False), (29, True), (-89, True), (-91, False)])
def test_code_is_for_half_an_hour_before_until_the_end(cast, minutes, works):
    meeting = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(minutes=minutes))

    assert services.open_check_in(meeting, by=cast.carol) is works


def test_what_a_counselor_noted_stays_and_undo_takes_a_check_in_back(cast, begun, sign_in):
    code = opened(begun, cast)
    make.participation(begun, cast.mia)
    services.record_attendance(begun, cast.mia.pk, "absent", by=cast.carol)
    mia = sign_in(cast.mia)

    answer = mia.post(URL, {"code": code}, follow=True).content.decode()
    noted = attendance(begun)
    services.check_in(code, by=cast.max)
    services.clear_attendance(begun, cast.max.pk, by=cast.carol)

    assert "Something else is noted for you." in answer
    assert noted == {"Mia": "absent"}
    assert attendance(begun) == {"Mia": "absent"}


def test_check_in_twice_is_one(cast, begun):
    code = opened(begun, cast)

    first, second = (services.check_in(code, by=cast.mia) for _ in range(2))

    assert first == second
    assert AuditEvent.objects.filter(action="attendance.checked_in").count() == 1
    assert services.open_check_in(begun, by=cast.carol) is False


def test_after_ten_tries_even_the_right_code_has_to_wait(cast, begun, sign_in):
    code = opened(begun, cast)
    mia = sign_in(cast.mia)

    statuses = [mia.post(URL, {"code": "222222"}).status_code for _ in range(10)]
    last = mia.post(URL, {"code": code}).status_code

    assert (set(statuses), last) == ({400}, 429)
    assert attendance(begun) == {}


# --- The way there from the pages of a member -------------------------------------------------------------------------


@pytest.fixture
def links(begun, sign_in):
    """Which of their pages lead to checking in."""

    def links(member):
        client = sign_in(member)
        pages = {
            "week": reverse("my_week"),
            "meeting": begun.get_absolute_url(),
            "room": reverse("meetings:meeting_room", args=[begun.pk]),
        }
        return {name for name, url in pages.items() if f'href="{URL}"' in client.get(url).content.decode()}

    return links


def test_pages_of_a_member_lead_to_checking_in_without_the_code(cast, begun, links, sign_in):
    make.participation(begun, cast.mia)
    assert links(cast.mia) == set()
    code = opened(begun, cast)

    assert links(cast.mia) == {"week", "meeting", "room"}
    mia = sign_in(cast.mia)
    for url in (reverse("my_week"), begun.get_absolute_url(), reverse("meetings:meeting_room", args=[begun.pk])):
        assert code not in mia.get(url).content.decode()
    assert links(cast.max) == {"week", "meeting"}  # without a place: not in the room yet
    services.check_in(code, by=cast.mia)
    assert links(cast.mia) == set()


@pytest.mark.parametrize("why", ["not a member", "not their group", "too early", "over", "off", "switched off"])
def test_nothing_leads_to_checking_in_otherwise(cast, begun, links, why):
    make.participation(begun, cast.mia)
    opened(begun, cast)
    match why:
        case "not a member":
            Membership.objects.filter(member=cast.mia).update(status="left")
        case "not their group":
            assert links(cast.nora) == set()
            return
        case "too early":
            _move(begun, minutes=31)
        case "over":
            _move(begun, minutes=-95)
        case "off":
            Meeting.objects.filter(pk=begun.pk).update(status="cancelled")
        case "switched off":
            services.close_check_in(begun, by=cast.carol)

    assert links(cast.mia) == set()


def _move(meeting, *, minutes):
    starts_at = timezone.now() + timedelta(minutes=minutes)
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=90))
