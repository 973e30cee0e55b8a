"""The roster on a phone that loses its connection: taps wait, are sent in order, and write over nothing."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import AuditEvent
from meetings import services
from meetings.models import Meeting, Participation
from tests import make
from tests.browser import accessibility_faults, press, shot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE = 15_000  # milliseconds


@pytest.fixture
def begun(cast):
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=5))
    for member in (cast.mia, cast.max, cast.nora):
        make.participation(meeting, member)
    return meeting


@pytest.fixture
def page(cast, sign_in, live_server, browser, begun):
    """Carol's phone, at the roster."""
    context = browser.new_context(viewport={"width": 390, "height": 780}, locale="en")
    cookie = sign_in(cast.carol).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("meetings:meeting_roster", args=[begun.pk]))
    return page


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def row(page, member):
    return page.locator(f"[id='m-{member.pk}']")


def attendance(meeting):
    rows = Participation.objects.filter(meeting=meeting).values_list("member__display_name", "attendance")
    return {name: mark for name, mark in rows if mark}


def all_sent(page):
    expect(page.locator("[data-unsent]")).to_be_hidden(timeout=PATIENCE)
    page.wait_for_function("() => !Object.keys(sessionStorage).length")


def test_taps_without_a_connection_wait_and_are_sent_in_order(cast, begun, page, live_server):
    button(page, "Mia is here").dblclick()
    expect(page.locator(".count")).to_have_text("1 person here · 2 not marked yet", use_inner_text=True)
    assert not page.locator(".unsent:visible").count()

    page.context.set_offline(True)
    button(page, "Max is here").click()
    button(page, "Max is here").click()
    button(page, "Max is not here").click()
    row(page, cast.nora).locator("summary").click()
    row(page, cast.nora).get_by_role("button", name="Came late").click()
    button(page, "One more").click()
    button(page, "One more").click()

    said = {
        member.display_name: row(page, member).locator(".unsent").text_content() for member in (cast.max, cast.nora)
    }
    assert said == {"Max": "Not here: not sent yet", "Nora": "Came late: not sent yet"}
    assert row(page, cast.mia).locator(".unsent").is_hidden()
    expect(button(page, "Max is not here")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".count")).to_contain_text("4 people here")
    expect(page.locator(".count")).to_contain_text("5 taps not sent yet")
    expect(page.get_by_text("There is no connection right now.")).to_be_visible()
    assert page.locator(".count").get_attribute("role") == "status"  # read out politely
    assert accessibility_faults(page) == []
    shot(page, "roster-without-connection-390")
    assert attendance(begun) == {"Mia": "present"}
    kept = page.evaluate("Object.values(sessionStorage).join()")
    assert {tap["about"] for tap in json.loads(kept)} == {str(cast.max.pk), str(cast.nora.pk), "guests"}
    assert [name for name in ("Max", "Nora", "Willow") if name in kept] == []

    # Nothing of this page leaves it meanwhile: another form would lose it.
    page.get_by_label("Member code").fill("M-ABCDEF")
    button(page, "Add").click()
    expect(page.get_by_label("Member code")).to_have_value("M-ABCDEF")

    page.context.set_offline(False)
    all_sent(page)

    assert attendance(begun) == {"Mia": "present", "Max": "absent", "Nora": "late"}
    assert Meeting.objects.get(pk=begun.pk).headcount == 2
    taps = AuditEvent.objects.filter(action__startswith="attendance").order_by("pk")
    marks = [(event.details.get("member"), event.details.get("attendance", "+1")) for event in taps]
    mia, max_, nora = (str(one.pk) for one in (cast.mia, cast.max, cast.nora))
    assert marks == [
        *((mia, "present"), (max_, "present"), (max_, "absent"), (nora, "late")),
        *((None, "+1"), (None, "+1")),
    ]
    assert not page.locator(".unsent:visible").count()
    expect(page.locator(".count")).to_have_text("4 people here", use_inner_text=True)
    assert page.get_by_text("There is no connection right now.").is_hidden()


def test_what_somebody_else_noted_meanwhile_stays_and_the_page_says_so(cast, begun, page):
    page.context.set_offline(True)
    button(page, "Mia is here").click()
    button(page, "Max is here").click()
    services.record_attendance(begun, cast.mia.pk, "excused", by=cast.dan)
    page.context.set_offline(False)
    all_sent(page)

    expect(row(page, cast.mia).locator(".note")).to_have_text(
        "Dan noted “excused” meanwhile, so your tap changed nothing."
    )
    assert row(page, cast.mia).locator(".note").get_attribute("role") == "status"
    shot(page, "roster-somebody-was-faster-390")
    expect(button(page, "Mia is not here")).to_have_attribute("aria-pressed", "true")
    expect(button(page, "Mia is not here")).to_have_text("Excused")
    assert attendance(begun) == {"Mia": "excused", "Max": "present"}

    # Whoever taps once more has seen it, and may.
    button(page, "Mia is here").click()
    expect(row(page, cast.mia).locator(".note")).to_have_count(0)
    expect(page.locator(".count")).to_contain_text("2 people here")
    all_sent(page)
    assert attendance(begun) == {"Mia": "present", "Max": "present"}


def test_taps_outlast_a_reload_and_end_with_the_session(cast, begun, page):
    page.route("**/roster/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    button(page, "Mia is here").focus()
    page.keyboard.press("Enter")
    expect(row(page, cast.mia).locator(".unsent")).to_be_visible()
    page.reload()
    expect(row(page, cast.mia).locator(".unsent")).to_have_text("Here: not sent yet")
    expect(button(page, "Mia is here")).to_have_attribute("aria-pressed", "true")
    page.unroute("**/roster/")
    all_sent(page)
    assert attendance(begun) == {"Mia": "present"}

    page.context.set_offline(True)
    button(page, "Max is here").click()
    page.context.clear_cookies()
    page.context.set_offline(False)
    expect(page.get_by_text("Some taps were not sent.")).to_be_visible(timeout=PATIENCE)
    press(page.get_by_role("link", name="Open it again"))
    expect(button(page, "Sign in").first).to_be_visible()

    assert page.evaluate("Object.keys(sessionStorage).length") == 0
    assert attendance(begun) == {"Mia": "present"}
