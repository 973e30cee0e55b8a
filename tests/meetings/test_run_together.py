"""A whole meeting on the run page: one counselor, five members, a second counselor, each in a browser of their own."""

import re
import statistics
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from groups.models import Facilitator, Phase, Topic
from meetings.models import Meeting, MeetingRun, Participation
from meetings.services import start_run
from tests import make
from tests.browser import press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE = 15_000  # milliseconds
FOLLOWED = []  # seconds until each room showed what was tapped


@pytest.fixture
def evening(cast):
    """Willow meets: five have a place, two counselors run it, in four parts."""
    Facilitator.objects.create(group=cast.willow, member=cast.dan, role="co")
    for position, kind in enumerate(("welcome", "introductions", "sharing", "closing"), start=1):
        Phase.objects.create(group=cast.willow, position=position, kind=kind, minutes=20)
    topic = Topic.objects.create(group=cast.willow, name="Quiet evenings", prompts="What helps you rest?")
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=2), topic=topic)
    for member in (cast.mia, cast.max, cast.nora, cast.vera, cast.rosa):
        make.participation(meeting, member)
    return meeting


@pytest.fixture
def cast(cast):
    cast.rosa = make.member("Rosa")
    return cast


@pytest.fixture
def open_page(sign_in, live_server, browser, evening):
    """A browser of this person, on a phone, at the run page or in the room."""

    def open_page(member, name, **options):
        context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en", **options)
        cookie = sign_in(member).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.goto(live_server.url + reverse(f"meetings:meeting_{name}", args=[evening.pk]))
        return page

    return open_page


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def tap(page, name):
    """Press it, and come back when its answer is there: until then the page takes no other tap."""
    button(page, name).click()
    expect(page.locator("form[data-live]:not([aria-busy])")).to_be_attached(timeout=PATIENCE)


def says(page, words):
    began = time.monotonic()
    expect(page.locator("main")).to_contain_text(words, timeout=PATIENCE)
    FOLLOWED.append(time.monotonic() - began)


def seconds_on(page) -> int:
    minutes, seconds = page.locator(".run-clock [data-clock]").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


def test_whole_meeting_is_run_and_followed(cast, evening, open_page, live_server):
    carol = open_page(cast.carol, "run")
    rooms = {name: open_page(getattr(cast, name), "room") for name in ("mia", "max", "nora", "vera", "rosa")}
    for room in rooms.values():
        says(room, "The meeting has not begun yet")

    # It starts, and everybody sees it; those who came are marked.
    tap(carol, "Start the meeting")
    for room in rooms.values():
        says(room, "Welcome and ground rules")
        says(room, "What helps you rest?")
    for name in ("Mia", "Max", "Nora", "Vera"):
        tap(carol, f"{name} is here")
        expect(button(carol, f"{name} is here")).to_have_count(0)
    tap(carol, "Somebody without a name")
    says(carol, "5 people here")
    says(rooms["max"], "1 person before you.")
    says(rooms["rosa"], "The counselor has not marked you as here yet.")

    # Parts, shares, a hand, passing; nobody reads a name.
    tap(carol, "On to: introductions")
    tap(carol, "On to: sharing round")
    says(rooms["mia"], "Part 3 of 4")
    tap(carol, "Mia begins")
    says(rooms["mia"], "It is your turn.")
    says(rooms["max"], "Somebody is sharing.")
    says(rooms["max"], "You are next.")
    expect(rooms["mia"].locator("[data-said]")).to_have_text("It is your turn.")
    tap(rooms["nora"], "Raise my hand")
    says(rooms["nora"], "Your hand is up.")
    says(carol, "1 hand is up")
    tap(rooms["max"], "Pass today")
    says(rooms["max"], "You are not asked today.")
    says(carol, "Next: Nora")
    for name, room in rooms.items():
        others = {"Mia", "Max", "Nora", "Vera", "Rosa", "Carol", "Dan"} - {name.capitalize()}
        assert [other for other in others if other in room.content()] == []

    # A reload shows the same second.
    before, at = seconds_on(carol), time.monotonic()
    carol.reload()
    assert abs(before - (time.monotonic() - at) - seconds_on(carol)) <= 1.5
    says(carol, "Shares now")

    # So does a laptop that was closed and opened again.
    closed = carol
    carol = closed.context.new_page()
    closed.close()
    carol.goto(live_server.url + reverse("meetings:meeting_run", args=[evening.pk]))
    assert abs(before - (time.monotonic() - at) - seconds_on(carol)) <= 1.5
    expect(carol.locator(".run-name")).to_contain_text("Mia")

    # A lost connection: said plainly, nothing changes, and it goes on by itself.
    carol.context.set_offline(True)
    rooms["vera"].context.set_offline(True)
    says(carol, "The connection is lost.")
    says(rooms["vera"], "The connection is lost.")
    tap(carol, "Next: Nora")
    says(carol, "Your tap was not sent, so nothing was changed.")
    assert MeetingRun.objects.get().turns.speaking().get().participation.member == cast.mia

    # Meanwhile the second counselor goes on.
    dan = open_page(cast.dan, "run")
    tap(dan, "Next: Nora")
    says(rooms["nora"], "It is your turn.")
    carol.context.set_offline(False)
    rooms["vera"].context.set_offline(False)
    expect(carol.locator(".run-name")).to_contain_text("Nora", timeout=PATIENCE)
    expect(carol.locator("[data-lost]")).to_be_hidden(timeout=PATIENCE)
    says(rooms["vera"], "You are next.")
    expect(rooms["vera"].locator("[data-lost]")).to_be_hidden(timeout=PATIENCE)

    # Both tap at what they saw: one counts, the other is told.
    for page in (carol, dan):
        expect(button(page, "Next: Vera")).to_be_visible()
    carol.route("**/run/", lambda route: route.continue_() if route.request.method == "POST" else None)
    tap(dan, "Pause")
    says(rooms["vera"], "We take a short break.")
    tap(carol, "Next: Vera")
    says(carol, "Dan tapped before you, so nothing was changed.")
    expect(carol.locator(".run-name")).to_contain_text("Nora")
    carol.unroute("**/run/")
    tap(carol, "Go on")

    # Come back later, after all, not today.
    tap(carol, "Ask later")
    says(rooms["nora"], "We come back to you.")
    tap(carol, "Vera begins")
    says(rooms["vera"], "It is your turn.")
    tap(rooms["max"], "I would like to share after all")
    tap(carol, "Next: Max")
    says(rooms["max"], "It is your turn.")
    tap(carol, "Next: guest 1")
    says(rooms["nora"], "You are next. We come back to you.")
    tap(carol, "Next: Nora")
    says(rooms["nora"], "It is your turn.")
    tap(carol, "Not today")
    says(rooms["nora"], "You are not asked today.")
    says(carol, "Everybody had a turn.")
    tap(carol, "Undo")
    says(rooms["nora"], "It is your turn.")
    tap(carol, "Thank you, done")

    # To the end.
    tap(carol, "On to: closing")
    tap(carol, "End the meeting")
    says(carol, "The meeting has ended")
    says(dan, "The meeting has ended")
    for room in rooms.values():
        says(room, "This meeting is over")

    came = Participation.objects.filter(meeting=evening).attended().values_list("member__display_name", flat=True)
    assert set(came) == {"Mia", "Max", "Nora", "Vera"}
    evening = Meeting.objects.get(pk=evening.pk)
    assert (evening.status, evening.headcount) == ("held", 1)
    assert statistics.median(FOLLOWED) < 3


def test_meeting_is_run_and_followed_without_scripts(cast, evening, open_page):
    carol = open_page(cast.carol, "run", java_script_enabled=False)
    mia = open_page(cast.mia, "room", java_script_enabled=False)

    press(button(carol, "Start the meeting"))
    press(button(carol, "Mia is here"))
    press(button(carol, "Mia begins"))
    press(mia.get_by_role("link", name="Look again"))
    says(mia, "It is your turn.")
    says(mia, "20 minutes left")
    press(button(carol, "Thank you, done"))
    press(mia.get_by_role("link", name="Look again"))
    press(button(mia, "Raise my hand"))
    press(button(carol, "Pause"))

    says(carol, "1 hand is up")
    assert re.fullmatch(r"(20:00|19:\d\d)", carol.locator(".run-clock [data-clock]").inner_text())


def test_page_rests_while_nobody_looks_and_follows_at_once_when_somebody_does(cast, evening, open_page):
    mia = open_page(cast.mia, "room")
    asked = []
    mia.on("request", lambda request: asked.append(request.url.endswith("/now/")))
    hide = "hidden => {Object.defineProperty(document, 'hidden', {value: hidden, configurable: true})}"
    mia.evaluate(hide, True)
    mia.wait_for_timeout(2500)  # what was under way
    asked.clear()
    mia.wait_for_timeout(4500)
    at_rest = len(asked)
    mia.evaluate(hide, False)
    mia.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    mia.wait_for_timeout(500)

    assert (at_rest, len(asked)) == (0, 1)


def test_page_whose_pass_is_over_goes_on_while_one_is_signed_in_and_else_says_so(cast, evening, open_page):
    mia = open_page(cast.mia, "room")
    mia.evaluate("document.querySelector('[data-follow]').dataset.pass = 'of-yesterday'")
    start_run(evening, by=cast.carol)
    says(mia, "Welcome and ground rules")
    expect(mia.locator("[data-signed-out]")).to_be_hidden()

    Session.objects.all().delete()
    says(mia, "You were signed out, so this page stands still.")


def test_keys_stay_where_they_were_when_the_page_changes(cast, evening, open_page):
    start_run(evening, by=cast.carol)
    carol = open_page(cast.carol, "run")
    button(carol, "Pause").focus()
    carol.keyboard.press("Enter")
    expect(button(carol, "Go on")).to_be_focused()

    button(carol, "Mia is here").focus()
    carol.keyboard.press("Enter")
    expect(button(carol, "Mia begins")).to_be_focused()
