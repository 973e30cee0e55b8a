"""The pages of a schedule in a browser: on a phone and on a desk, light and dark."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from groups.models import Topic
from meetings import services
from meetings.models import Meeting, MeetingSeries
from tests import make
from tests.browser import accessibility_faults, is_wider_than_the_window, press, shot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_counselor_looks_at_what_a_change_would_do_and_saves_it(cast, sign_in, live_server, browser):
    Meeting.objects.all().delete()  # of the cast, at this hour: it may be in the way of the series
    MeetingSeries.objects.all().delete()
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    series = make.series(cast.willow, weekdays=[tomorrow.weekday()])
    services.extend_series()
    dates = list(Meeting.objects.in_order())
    Topic.objects.create(name="Walks", group=cast.willow)
    services.answer_going(dates[1], by=cast.mia)
    services.cancel_meeting(dates[3], by=cast.carol, reason="The room is closed")
    on = dates[5].local_date
    services.suspend_series(series, by=cast.carol, from_on=on, until_on=on + timedelta(days=8), reason="Holiday")
    session = sign_in(cast.carol).cookies[settings.SESSION_COOKIE_NAME].value
    page = browser.new_context(viewport={"width": 390, "height": 780}).new_page()
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    faults = {}

    def look(name: str) -> None:
        for width, scheme in ((390, "light"), (390, "dark"), (1280, "light")):
            page.set_viewport_size({"width": width, "height": 780})
            page.emulate_media(color_scheme=scheme)
            shot(page, f"admin-{name}-{width}-{scheme}")
            faults[f"{name} {width} {scheme}"] = accessibility_faults(page)
        page.set_viewport_size({"width": 320, "height": 640})
        faults[f"{name} 320"] = ["scrolls sideways"] if is_wider_than_the_window(page) else []
        page.set_viewport_size({"width": 390, "height": 780})

    page.goto(live_server.url + reverse("admin:groups_group_schedule", args=[cast.willow.pk]))
    look("schedule")
    press(page.get_by_role("link", name="Change the schedule"))
    page.get_by_label("Starts").fill("20:00")
    press(page.get_by_role("button", name="Show what would happen"))
    look("schedule-change")
    press(page.get_by_role("button", name="Save this"))

    assert {f"{one.local_start:%H:%M}" for one in Meeting.objects.upcoming()} == {"20:00"}
    page.goto(live_server.url + reverse("admin:meetings_meeting_move", args=[dates[1].pk]))
    page.get_by_label("Minutes").fill("0")
    press(page.get_by_role("button", name="Show what would happen"))
    look("schedule-date")
    assert {name: found for name, found in faults.items() if found} == {}
