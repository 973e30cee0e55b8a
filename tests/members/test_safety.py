"""Staying signed in, and getting away, in a real browser: by keyboard, and without scripts."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from members import session_limits
from tests import make
from tests.site import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FORM = reverse("members:display_name")
PLAIN_PAGE = "<!doctype html><title>Plain</title><p>Somewhere plain."


@pytest.fixture
def mia(transactional_db, sign_in):
    member = make.member("Mia")
    member.key = sign_in(member).cookies[settings.SESSION_COOKIE_NAME].value
    return member


@pytest.fixture
def open_page(mia, browser, live_server):
    """Mia's page; what is on the other host is answered here."""

    def open_page(*, scripts: bool = True):
        context = browser.new_context(base_url=live_server.url, locale="en-US", java_script_enabled=scripts)
        context.set_default_timeout(10_000)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": mia.key, "url": live_server.url}])
        context.route(f"{settings.LEAVE_URL}**", lambda route: route.fulfill(body=PLAIN_PAGE, content_type="text/html"))
        page = context.new_page()
        if scripts:
            page.clock.install()
        return page

    return open_page


def session_of(member):
    return import_module(settings.SESSION_ENGINE).SessionStore(member.key)


def last_seen(member, **ago) -> None:
    """As if nobody had acted in the session for so long."""
    session = session_of(member)
    session[session_limits.SEEN] = int((timezone.now() - timedelta(**ago)).timestamp())
    session.save()


def is_signed_in(member) -> bool:
    return Session.objects.filter(session_key=member.key).exists()


def focused(page) -> str:
    return page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name || ''")


def test_before_a_session_ends_one_key_prolongs_it_and_nothing_typed_is_lost(mia, open_page):
    page = open_page()
    page.goto(FORM)
    page.get_by_label("Display name").fill("River")
    last_seen(mia, minutes=58, seconds=30)

    page.clock.fast_forward("57:05")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert "For your safety you are signed out at" in dialog.inner_text()
    assert focused(page) == "Stay signed in"
    for _ in range(3):  # the keys do not lead behind it
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    dialog.get_by_role("button", name="Stay signed in").focus()
    with page.expect_response(f"**{reverse('members:stay')}") as answer:
        page.keyboard.press("Enter")
    dialog.wait_for(state="detached")

    assert answer.value.status == 204
    assert session_limits.left_of(session_of(mia), mia).seconds > 3500
    assert focused(page) == "display_name"
    assert page.get_by_label("Display name").input_value() == "River"


def test_another_tab_in_which_somebody_acts_keeps_the_question_away(mia, open_page):
    page = open_page()
    page.goto(FORM)
    last_seen(mia, minutes=1)

    with page.expect_response(f"**{reverse('members:stay')}"):
        page.clock.fast_forward("57:05")

    assert page.get_by_role("dialog").count() == 0


def test_when_a_session_has_ended_the_page_says_so_and_what_was_typed_waits(mia, open_page):
    page = open_page()
    page.goto(FORM)
    page.get_by_label("Display name").fill("River")
    last_seen(mia, minutes=58, seconds=30)
    page.clock.fast_forward("57:05")
    page.get_by_role("dialog").wait_for()

    last_seen(mia, minutes=61)
    page.clock.fast_forward("02:00")
    page.get_by_text("You are signed out now. What you wrote is still here").wait_for()
    page.get_by_role("button", name="OK").press("Enter")
    page.get_by_role("button", name="Change my name").click()
    page.get_by_label("Email").fill(mia.email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.get_by_text("Nothing is lost").wait_for()
    assert page.locator("dl").get_by_text("River").is_visible()


def test_three_times_shift_leaves_at_once_and_the_way_back_is_closed(mia, open_page):
    page = open_page()
    page.goto(reverse("home"))
    page.goto(FORM)

    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(settings.LEAVE_URL)
    wait_until(lambda: not is_signed_in(mia))
    page.go_back()

    assert reverse("home") == page.evaluate("location.pathname")  # the page that was left is not in the history
    assert page.get_by_role("link", name="Sign in").first.is_visible()


def test_shift_used_for_writing_does_not_leave(mia, open_page):
    page = open_page()
    page.goto(FORM)
    page.get_by_label("Display name").fill("")

    page.get_by_label("Display name").press_sequentially("ABC")
    for key in ("Shift", "a", "Shift", "b", "Shift"):
        page.keyboard.press(key)

    assert page.url.endswith(FORM)
    assert is_signed_in(mia)


def test_leaving_works_without_scripts(mia, open_page):
    page = open_page(scripts=False)
    page.goto(FORM)

    page.get_by_role("button", name="Leave this page").click()
    page.wait_for_url(settings.LEAVE_URL)
    left = is_signed_in(mia)
    page.go_back()

    assert not left
    assert page.url.startswith(page.url.split("/accounts/")[0] + reverse("account_login"))
    assert page.get_by_label("Display name").count() == 0
