"""The picture of a mail follows what is typed, within the policy; without a script a button does it."""

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from outbox.models import Wording
from tests.browser import press, shot
from tests.test_look import listen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = reverse("lab:letter_write", args=["moved", "en"])


@pytest.fixture
def open_page(cast, sign_in, live_server, browser):
    def open_page(**kind):
        context = browser.new_context(viewport={"width": 360, "height": 780}, locale="en", **kind)
        session = sign_in(cast.olga).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page = context.new_page()
        heard = listen(page, live_server.url)
        page.goto(live_server.url + ADDRESS)
        return page, heard

    return open_page


def mail_in(page):
    return page.frame_locator("#picture iframe").locator("p").first


def test_picture_follows_what_is_typed(open_page):
    page, heard = open_page()
    expect(mail_in(page)).to_have_text(
        "Your meeting has changed. It is now on Wednesday, September 30, 10:30 pm (PDT)."
    )
    page.locator("#picture summary").click()

    page.get_by_label("Subject").fill("See you {when_short}")
    page.get_by_label("Opening").fill("We <b>wait</b> for you on {when}!")

    lock = page.locator("#picture .phone")
    expect(lock).to_contain_text("See you Wed 10:30 pm (PDT)")
    expect(lock).to_contain_text("We <b>wait</b> for you on Wednesday, September 30, 10:30 pm (PDT)!")
    expect(page.locator("#picture .note")).to_contain_text("An exclamation mark can feel like pressure.")
    expect(page.locator("#picture pre")).to_be_visible()  # what was unfolded stays so
    expect(page.locator("#picture pre")).to_contain_text("We <b>wait</b> for you")
    expect(mail_in(page)).to_have_text("We <b>wait</b> for you on Wednesday, September 30, 10:30 pm (PDT)!")
    page.locator("#picture iframe").scroll_into_view_if_needed()
    shot(page, "wording-live-360")
    assert heard == []
    assert Wording.objects.count() == 0


def test_without_a_script_a_button_shows_it_and_words_are_saved_and_used(open_page):
    page, _ = open_page(java_script_enabled=False)
    page.get_by_label("Opening").fill("We wait for you on {when}.")

    press(page.get_by_role("button", name="Show how it looks"))
    expect(page.locator("#picture .phone")).to_contain_text("We wait for you on Wednesday")
    expect(mail_in(page)).to_contain_text("We wait for you on Wednesday")
    press(page.get_by_role("button", name="Save and look at it"))
    press(page.get_by_role("button", name="Use these words"))

    expect(page.get_by_role("status")).to_have_text("Done. From the next mail on, everybody gets these words.")
    expect(page.locator("main")).to_contain_text("Wording 1, since")
