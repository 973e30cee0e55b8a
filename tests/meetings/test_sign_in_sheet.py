"""Paper to sign: neutral, with names only when asked for, and then on the record."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from audit.models import AuditEvent
from tests import make

NOTED = "attendance.names_on_sheet"


@pytest.fixture
def begun(cast):
    """Mia has a place, Max waits for one, Vera declined."""
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=5))
    for member, rsvp in ((cast.mia, "going"), (cast.max, "waitlisted"), (cast.vera, "declined")):
        make.participation(meeting, member, rsvp=rsvp)
    return meeting


@pytest.fixture
def sheet(cast, sign_in, begun):
    client = sign_in(cast.carol)
    url = reverse("meetings:meeting_sheet", args=[begun.pk])
    return lambda **wanted: client.get(url, wanted)


def paper(response) -> str:
    """What goes on the paper: the page below the form."""
    return response.content.decode().partition("</form>\n</div>")[2].partition("</main>")[0]


def test_plain_sheet_has_no_name_and_leaves_no_record(cast, begun, sheet):
    response = sheet()

    assert "Mia" not in response.content.decode()
    assert paper(response).count("<tr>") == 1 + begun.capacity
    assert not AuditEvent.objects.filter(action=NOTED).exists()


@pytest.mark.parametrize("kind", ["sheet", "slips"])
def test_names_are_of_those_with_a_place_and_each_time_on_the_record(cast, begun, sheet, kind):
    text = paper(sheet(kind=kind, names="on", lines="2"))
    sheet(kind=kind, names="on", lines="2")

    assert {name for name in ("Mia", "Max", "Vera") if name in text} == {"Mia"}
    noted = AuditEvent.objects.filter(action=NOTED)
    assert [(one.actor_id, one.object_id, one.details) for one in noted] == [
        (cast.carol.pk, str(begun.pk), {"count": 1})
    ] * 2


def test_blank_sheet_has_neither_names_nor_date_even_when_asked_with_names(begun, sheet):
    text = paper(sheet(kind="blank", names="on", lines="5"))

    assert "Mia" not in text
    assert str(begun.local_date.year) not in text
    assert ">Date<" in text
    assert ">Group<" in text
    assert not AuditEvent.objects.filter(action=NOTED).exists()


@pytest.mark.parametrize("kind", ["sheet", "slips", "blank"])
def test_paper_names_no_group_and_no_subject_and_carries_the_notice(begun, sheet, kind):
    text = paper(sheet(kind=kind, names="on", lines="2"))

    assert begun.group.name not in text
    assert "recovery" not in text.lower()
    assert "42 CFR part 2 prohibits unauthorized use or disclosure of these records." in text


@pytest.mark.parametrize("wrong", [{"kind": "poster"}, {"lines": "61"}, {"lines": "-1"}, {"lines": ""}, {"lines": "x"}])
def test_wrong_wishes_are_refused_and_show_nobody(sheet, wrong):
    response = sheet(**{"kind": "sheet", "names": "on", "lines": "2"} | wrong)

    assert response.status_code == 400
    assert "Mia" not in response.content.decode()
    assert not AuditEvent.objects.filter(action=NOTED).exists()


def test_site_that_wants_slips_prints_no_common_sheet(sheet, settings):
    settings.SIGN_IN_SLIPS = True

    assert sheet().content.decode().count("Sign-in slip<") > 1
    assert sheet(kind="sheet", lines="2").status_code == 400


@pytest.mark.parametrize("how_many", [3, 300])
def test_sheet_costs_the_same_for_few_and_many(cast, sign_in, how_many):
    meeting = make.meeting(cast.willow, capacity=400)
    for member in make.members(how_many):
        make.participation(meeting, member)
    client = sign_in(cast.carol)
    url = reverse("meetings:meeting_sheet", args=[meeting.pk])

    with CaptureQueriesContext(connection) as asked:
        page = client.get(url, {"kind": "slips", "names": "on", "lines": "0"}).content.decode()

    assert page.count("Sign-in slip<") == how_many
    assert len(asked) == 6


def test_twelve_lines_fit_one_page_of_either_paper(cast, begun, sign_in, live_server, page: Page, settings):
    session = sign_in(cast.carol).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}{reverse('meetings:meeting_sheet', args=[begun.pk])}?kind=sheet&lines=12")

    sizes = {paper: page.pdf(format=paper).count(b"/Type /Page\n") for paper in ("A4", "Letter")}
    page.emulate_media(media="print")

    assert sizes == {"A4": 1, "Letter": 1}
    assert page.locator("h1:visible, form:visible, header:visible, footer:visible").count() == 0
    assert page.locator("h2:visible").inner_text() == "Sign-in sheet"
