"""What people come for, with the keys alone: where one is can be seen at every step. And all of it without scripts."""

import re

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from centre.models import Question
from groups.models import Group, Invitation, Membership
from groups.services import invite
from meetings.models import Participation
from members.models import Consent, Member, ReminderSettings
from tests import make
from tests.browser import shot
from tests.keyboard import Keyboard

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"]),
]


@pytest.fixture
def hands(live_server, browser, sign_in, scripts):
    """A phone with a keyboard, of somebody."""
    cache.clear()

    def hands(member=None):
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": 360, "height": 640},
            locale="en-US",
            reduced_motion="reduce",  # the page does not glide, so that we look where it stands
            java_script_enabled=scripts,
        )
        context.set_default_timeout(10_000)
        if member:
            session = sign_in(member).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        return Keyboard(context.new_page())

    return hands


def test_find_a_meeting_sign_up_and_have_a_place(cast, hands):
    make.agreement(cast.willow, text="What is said here stays here.")
    keys = hands()
    meeting = cast.willow_meeting.get_absolute_url()

    keys.open("/")
    keys.go("main a[href='/meetings/']")
    keys.type("[name=q]", "willow")
    weekday = str(cast.willow_meeting.local_date.weekday())
    keys.choose("select[name=day]", weekday)
    keys.to("summary").press("Space")
    keys.choose("select[name=mode]", Group.Mode.IN_PERSON)
    keys.go("main .filters button.main")
    assert f"q=willow&day={weekday}" in keys.page.url
    keys.go(f"main a[href='{meeting}']")
    keys.go("main a[href^='/accounts/signup/']")

    keys.to("[name=password1]")
    keys.to("[name=email]", key="Shift+Tab").page.keyboard.type("river@example.org")
    keys.type("[name=display_name]", "River")
    keys.type("[name=password1]", make.PASSWORD)
    keys.go("main form button.main")
    keys.type("[name=code]", re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", mail.outbox[0].body).group())
    keys.go("main form button.main")
    assert keys.page.url.endswith(meeting)

    keys.go("button[name=answer][value=going]", "Space")
    keys.to("[name=accept]").press("Space")
    keys.go("main form button.main", "Space")
    river = Member.objects.get(email="river@example.org")
    assert Participation.objects.get(member=river).rsvp == "going"
    keys.go("button[name=answer][value=declined]")
    assert Participation.objects.get(member=river).rsvp == "declined"
    keys.go("button[name=answer][value=undo]")
    assert Participation.objects.get(member=river).rsvp == "going"

    assert keys.faults == []


def test_my_week_reminders_and_a_question(cast, hands):
    place = make.participation(cast.willow_meeting, cast.mia)
    keys = hands(cast.mia)

    keys.open("/")
    keys.to("header.top .nav a[href='/my/']", key="Shift+Tab")
    with keys.page.expect_navigation():
        keys.page.keyboard.press("Enter")
    keys.go("main button[name=answer][value=declined]")
    place.refresh_from_db()
    assert place.rsvp == "declined"

    keys.open("/my/")
    keys.go("main a[href='/my/reminders/']")
    keys.to("[name=wanted]").press("Space")
    keys.choose("[name=lead]", ReminderSettings.Lead.SAME_DAY)
    keys.choose("[name=quiet_from]", "22")
    keys.choose("[name=quiet_until]", "7")
    keys.go("main form:has([name=wanted]) button.main")
    wishes = ReminderSettings.objects.get(member=cast.mia)
    assert (wishes.lead, wishes.quiet_from, wishes.quiet_until) == ("same-day", 22, 7)
    assert Consent.objects.standing().filter(member=cast.mia, kind=Consent.Kind.REMINDERS).exists()

    keys.open("/contact/")
    keys.type("[name=message]", "Is there a step at the door?")
    keys.type("[name=reach]", "mia@example.org")
    keys.page.wait_for_timeout(3_000)  # nobody reads and writes in less: that is how machines are told
    keys.go("main form button.main")
    assert Question.objects.get().message == "Is there a step at the door?"

    assert keys.faults == []


def test_sign_in_on_the_way_to_an_invitation_and_accept_it(cast, hands):
    closed = make.group(name="Harbor circle", slug="harbor", enrolment=Group.Enrolment.CLOSED, is_listed=False)
    make.agreement(closed, text="What is said here stays here.")
    invite(Invitation(group=closed), by=cast.olga, token="a-quiet-token", days=7)
    keys = hands()

    keys.open(reverse("groups:invitation", args=["a-quiet-token"]))
    keys.go("main a[href^='/accounts/login/']")
    keys.type("[name=login]", cast.vera.email)
    keys.type("[name=password]", make.PASSWORD)
    keys.go("main form button.main")
    assert keys.page.url.endswith("/invitation/a-quiet-token/")
    keys.go("main form button.main")
    assert "please read the ground rules and tick this box" in keys.page.locator("main .errors").inner_text()
    keys.to("[name=accept]").press("Space")
    keys.go("main form button.main")

    assert keys.page.url.endswith("/groups/harbor/")
    assert Membership.objects.get(group=closed).member == cast.vera
    assert keys.faults == []


def test_stop_reminders_from_a_mail(cast, hands):
    keys = hands()

    keys.open(reverse("outbox:unsubscribe", args=["x"]))
    keys.go("main form button.main")

    assert keys.page.locator("h1").inner_text() == "It is done"
    assert keys.faults == []


def test_counselor_takes_the_roster(cast, hands, scripts):
    meeting = make.meeting(cast.willow, starts_at=timezone.now())
    for member in (cast.mia, cast.max, *make.members(6)):
        make.participation(meeting, member)
    keys = hands(cast.carol)

    def attendance(member):
        return Participation.objects.get(meeting=meeting, member=member).attendance

    def is_post(answer):
        return answer.request.method == "POST"

    def tap(button, key="Enter"):
        """With a script the tap leaves from a page that stays; without one the page comes anew."""
        keys.to(button)
        with keys.page.expect_response(is_post) if scripts else keys.page.expect_navigation():
            keys.page.keyboard.press(key)

    keys.open(reverse("meetings:meeting_roster", args=[meeting.pk]))
    tap(f"button[name=record][value='{cast.mia.pk}:present']", "Space")
    tap(f"button[name=record][value='{cast.max.pk}:absent']")
    keys.to(f"#m-{cast.max.pk} summary").press("Space")
    tap(f"button[name=record][value='{cast.max.pk}:late']")
    assert (attendance(cast.mia), attendance(cast.max)) == ("present", "late")
    tap("button[name=headcount][value='+1']")
    keys.type("[name=code]", cast.vera.code)
    keys.go("button[name=walk_in]")
    keys.to(f"button[name=record][value='{cast.mia.pk}:present']", key="Shift+Tab")  # under what stays on top
    shot(keys.page, "keyboard-roster")
    meeting.refresh_from_db()
    assert (meeting.headcount, attendance(cast.vera)) == (1, "present")

    assert keys.faults == []
