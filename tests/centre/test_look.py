"""The states of the page that only sending brings: with a mistake, and too many. And the queue in the admin."""

import pytest
from django.conf import settings

from centre.models import Question
from tests.browser import accessibility_faults, is_wider_than_the_window, press, shot
from tests.test_look import listen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def faults(page) -> list[str]:
    found = accessibility_faults(page)
    page.set_viewport_size({"width": 320, "height": 640})
    return found + ["scrolls sideways at 320 px"] * is_wider_than_the_window(page)


def test_sent_forms_are_at_ease(live_server, browser, stamp):
    context = browser.new_context(viewport={"width": 360, "height": 780}, color_scheme="dark")
    page = context.new_page()
    heard = listen(page, live_server.url)

    def send(message, reach="", seconds=60):
        page.goto(live_server.url + "/contact/")
        page.locator("[name=stamp]").evaluate(f"field => field.value = '{stamp(seconds)}'")
        page.locator("[name=message]").fill(message)
        page.locator("[name=reach]").fill(reach)
        press(page.locator("main button"))

    send("Where can I park?", reach="call me")
    shot(page, "ask-mistake-360-dark")
    found = {"mistake": faults(page)}
    page.set_viewport_size({"width": 360, "height": 780})
    for n in range(11):
        send(f"Where can I park? {n}")
    shot(page, "ask-too-many-360-dark")
    found["too many"] = faults(page)

    assert found == {"mistake": [], "too many": []}
    assert page.locator("[name=message]").input_value() == "Where can I park? 10"
    assert [words for words in heard if not any(code in words for code in ("400", "429"))] == []


def test_queue_is_at_ease(cast, sign_in, live_server, browser):
    asked = Question.objects.create(
        token="one",
        message="Is there a step at the door?\nI come with a chair.",
        reach="555 010 0199",
        group=cast.willow,
    )
    Question.objects.create(token="two", message="?", taken_by=cast.olga, taken_at="2026-01-01T00:00Z")
    context = browser.new_context(viewport={"width": 390, "height": 780}, base_url=live_server.url)
    session = sign_in(cast.olga).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    found = {}

    for name, address in {"queue": "", "question": f"{asked.pk}/change/"}.items():
        page.goto(f"/admin/centre/question/{address}")
        shot(page, f"admin-{name}-390")
        found[name] = accessibility_faults(page) + ["scrolls sideways"] * is_wider_than_the_window(page)

    assert found == {"queue": [], "question": []}
