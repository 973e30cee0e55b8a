"""Each page in a real browser: axe finds nothing, nothing scrolls sideways at 320 px, nothing comes from elsewhere.

Leaves a picture of each page at 360 and 1280 px, light and dark, in English and Spanish, under screenshots/.
"""

from datetime import timedelta
from functools import cache

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from groups.models import Group, Membership
from groups.services import decline_request
from meetings.access import answer_token
from members.services import open_calendar
from tests import make
from tests.browser import accessibility_faults, is_wider_than_the_window, shot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(cast):
    """A week with something of everything in it."""
    make.agreement(cast.willow, text="What is said here stays here.\n\nYou can always pass.")
    online = make.group(name="Lantern online", mode=Group.Mode.ONLINE, kind=Group.Kind.SKILLS, description="We listen.")
    make.membership(online, cast.mia)
    full = make.meeting(online, capacity=2, starts_at=timezone.now() + timedelta(days=3))
    for member in make.members(2):
        make.participation(full, member)
    make.participation(full, cast.mia, rsvp="waitlisted")
    make.participation(cast.willow_meeting, cast.mia)
    now = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=10))
    make.participation(now, cast.mia, attendance="present")
    make.participation(now, cast.max)
    make.participation(now, cast.vera, rsvp=None, attendance="late")
    open_calendar(cast.mia)
    changed_at = timezone.now() + timedelta(minutes=1)
    make.participation(make.meeting(cast.willow, status="cancelled", changed_at=changed_at), cast.max)
    make.participation(make.meeting(cast.cedar, starts_at=timezone.now() - timedelta(weeks=6)), cast.nora)
    cast.now, cast.full = now, full
    cast.asking = make.group(name="Harbor circle", enrolment=Group.Enrolment.BY_REQUEST)
    asked = {"status": Membership.Status.REQUESTED, "joined_at": None}
    make.membership(cast.asking, cast.vera, **asked)
    decline_request(make.membership(cast.asking, cast.max, **asked), by=cast.carol)
    return cast


def pages(scene):
    roster = reverse("meetings:meeting_roster", args=[scene.now.pk])
    token = answer_token(scene.willow_meeting.pk, scene.mia.pk)
    return {
        "home": (None, reverse("home")),
        "find": (None, reverse("meetings:meeting_list")),
        "find-week": (None, reverse("meetings:meeting_list") + "?view=week"),
        "find-nothing": (None, reverse("meetings:meeting_list") + "?q=nothing"),
        "meeting-visitor": (None, scene.willow_meeting.get_absolute_url()),
        "meeting-going": (scene.mia, scene.willow_meeting.get_absolute_url()),
        "meeting-waiting": (scene.mia, scene.full.get_absolute_url()),
        "group": (None, scene.willow.get_absolute_url()),
        "group-member": (scene.mia, scene.willow.get_absolute_url()),
        "group-asked": (scene.vera, scene.asking.get_absolute_url()),
        "group-declined": (scene.max, scene.asking.get_absolute_url()),
        "first-time": (None, reverse("groups:first_time")),
        "join": (scene.vera, reverse("groups:group_join", args=["willow"])),
        "leave-group": (scene.mia, reverse("meetings:group_leave", args=["willow"])),
        "my-week": (scene.mia, reverse("my_week")),
        "my-week-new": (scene.vera, reverse("my_week")),
        "my-calendar": (scene.mia, reverse("meetings:my_calendar")),
        "my-calendar-off": (scene.max, reverse("meetings:my_calendar")),
        "my-week-news": (scene.max, reverse("my_week")),
        "my-week-returning": (scene.nora, reverse("my_week")),
        "my-attendance": (scene.mia, reverse("meetings:my_attendance")),
        "my-attendance-new": (scene.max, reverse("meetings:my_attendance")),
        "reminders": (scene.mia, reverse("meetings:reminders")),
        "reminders-new": (scene.vera, reverse("meetings:reminders")),
        "roster": (scene.carol, roster),
        "answer-from-mail": (None, reverse("meetings:answer_from_mail", args=[token])),
        "unsubscribe": (None, reverse("outbox:unsubscribe", args=["x"])),
        "help": (None, reverse("members:help_now")),
        "display": (None, reverse("members:display")),
        "stay": (scene.mia, reverse("members:stay")),
        "settings": (scene.mia, reverse("members:settings")),
        "my-data": (scene.mia, reverse("members:my_data")),
        "my-data-counselor": (scene.carol, reverse("members:my_data")),
        "my-data-part": (scene.mia, reverse("members:my_data_part", args=["meetings"])),
        "display-name": (scene.mia, reverse("members:display_name")),
        "ask": (None, reverse("centre:contact") + "?group=willow"),
        "ask-sent": (None, reverse("centre:sent")),
        "sign-up": (None, reverse("account_signup")),
        "sign-in": (None, reverse("account_login")),
        "sign-in-code": (None, reverse("account_request_login_code")),
        "reset-password": (None, reverse("account_reset_password")),
        "not-found": (None, "/nothing-here/"),
        "second-factor": (scene.carol, reverse("mfa_index")),
        "e-mail-address": (scene.mia, reverse("account_email")),
        "reports": (scene.olga, reverse("reports:report_list")),
        "attendance": (scene.olga, reverse("reports:attendance")),
    }


# Width, scheme, language, and whether axe looks too: once for each scheme and width.
SCREENS = [
    (360, "light", "en", True),
    (360, "dark", "es", False),
    (1280, "light", "es", False),
    (1280, "dark", "en", True),
]


@pytest.mark.parametrize(("width", "scheme", "language", "with_axe"), SCREENS)
def test_every_page_is_at_ease(scene, sign_in, live_server, browser, width, scheme, language, with_axe):
    def open_browser(person):
        context = browser.new_context(viewport={"width": width, "height": 780}, color_scheme=scheme, locale=language)
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if person:
            cookies[settings.SESSION_COOKIE_NAME] = sign_in(person).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": key, "value": value, "url": live_server.url} for key, value in cookies.items()])
        page = context.new_page()
        return page, listen(page, live_server.url)

    open_browser = cache(open_browser)
    faults = {}
    for name, (person, address) in pages(scene).items():
        page, heard = open_browser(person)
        heard.clear()
        page.goto(live_server.url + address)
        found = [words for words in heard if "404 (Not Found)" not in words]
        if with_axe:
            found += accessibility_faults(page)
        shot(page, f"{name}-{width}-{scheme}-{language}")
        if width == 360:
            page.set_viewport_size({"width": 320, "height": 640})
            if is_wider_than_the_window(page):
                found.append("scrolls sideways at 320 px")
            page.evaluate("document.documentElement.classList.add('text-largest')")
            if is_wider_than_the_window(page):
                found.append("scrolls sideways at 320 px with very large words")
            page.set_viewport_size({"width": width, "height": 780})
        if found:
            faults[name] = found

    assert faults == {}


def listen(page, home: str) -> list[str]:
    """Fills with what the browser complains of (a content policy, a missing file) and what it asks of other hosts."""
    heard: list[str] = []

    def on_request(request):
        if not request.url.startswith((home, "data:")):
            heard.append(f"asked elsewhere: {request.url}")

    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("request", on_request)
    return heard
