"""The admin on a phone: a counselor makes a group and cancels a date with the thumb; axe and the console are silent.

Leaves pictures under screenshots/.
"""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from groups.models import Group, Membership, Topic
from meetings.models import Meeting, Outreach
from outbox.models import Email
from tests import make
from tests.browser import accessibility_faults, is_wider_than_the_window, press, shot
from tests.test_look import listen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_page(sign_in, live_server, browser):
    """A phone in somebody's hand."""

    def open_page(person, *, scripts=True, scheme="light", width=390):
        context = browser.new_context(
            viewport={"width": width, "height": 780},
            java_script_enabled=scripts,
            color_scheme=scheme,
            base_url=live_server.url,
        )
        session = sign_in(person).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        return context.new_page()

    return open_page


def make_mail(cast, **fields) -> Email:
    return Email.objects.create(
        key=str(Email.objects.count()),
        kind="offer",
        recipient=cast.mia,
        about_id=cast.willow_meeting.pk,
        fact="1",
        expires_at=timezone.now() + timedelta(hours=5),
        attempts=1,
        **fields,
    )


def fill_the_start_page(cast) -> None:
    """Something in every part: today's meeting, a full one, an open roster, somebody missed, somebody contacted."""
    now = timezone.now()
    make.meeting(cast.willow, starts_at=now + timedelta(hours=3), topic=Topic.objects.first())
    full = make.meeting(cast.willow, starts_at=now + timedelta(hours=1), capacity=1)
    make.participation(full, cast.mia)
    make.participation(full, cast.max, "waitlisted")
    make.meeting(
        cast.willow, starts_at=now + timedelta(days=3), status="cancelled", cancel_reason="The room is closed."
    )
    make.meeting(cast.willow, starts_at=now - timedelta(days=1))
    for days in (14, 7):
        missed = make.meeting(cast.willow, starts_at=now - timedelta(days=days), status="held")
        for member in (cast.mia, cast.max):
            make.participation(missed, member, attendance="absent")
    Outreach.objects.create(meeting=missed, member=cast.max, contacted_by=cast.carol)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_at_ease_on_a_phone(cast, open_page, live_server, scheme):
    asks = make.membership(cast.willow, cast.vera, status=Membership.Status.REQUESTED)
    make.participation(cast.willow_meeting, cast.mia)
    meeting = reverse("admin:meetings_meeting_change", args=[cast.willow_meeting.pk])
    failed = make_mail(cast, state="failed", reason="refused (550)")
    make_mail(cast, state="sent", sent_at=timezone.now(), doubts=1)
    fill_the_start_page(cast)
    addresses = {
        "mail": "/admin/outbox/email/",
        "mail-one": f"/admin/outbox/email/{failed.pk}/change/",
        "mail-preview": "/admin/outbox/email/preview/?letter=offer",
        "mail-start": "/admin/",
        "index": "/admin/",
        "contacts": "/admin/meetings/outreach/",
        "groups": "/admin/groups/group/",
        "group": f"/admin/groups/group/{cast.willow.pk}/change/",
        "new-group": "/admin/groups/group/add/",
        "memberships": "/admin/groups/membership/",
        "membership": f"/admin/groups/membership/{asks.pk}/change/",
        "approve": f"/admin/groups/membership/{asks.pk}/approve/",
        "decline": f"/admin/groups/membership/{asks.pk}/decline/",
        "members": "/admin/members/member/",
        "rules": "/admin/groups/agreement/add/",
        "meetings": "/admin/meetings/meeting/",
        "participations": "/admin/meetings/participation/",
        "schedules": "/admin/meetings/meetingseries/",
        "topics": "/admin/groups/topic/",
        "meeting": meeting,
        "history": f"/admin/meetings/meeting/{cast.willow_meeting.pk}/history/",
        "invitations": "/admin/groups/invitation/",
        "new-invitation": "/admin/groups/invitation/add/",
        "cancel": f"/admin/meetings/meeting/cancel/?meetings={cast.willow_meeting.pk}",
    }
    faults = {}

    for name, address in addresses.items():
        page = open_page(cast.olga if name.startswith("mail") else cast.carol, scheme=scheme)
        heard = listen(page, live_server.url)
        page.goto(address)
        found = list(heard)  # before axe, which puts styles of its own into the page
        found += accessibility_faults(page)
        if is_wider_than_the_window(page):
            found.append("scrolls sideways at 390 px")
        shot(page, f"admin-{name}-390-{scheme}")
        if found:
            faults[name] = found
        page.context.close()

    assert faults == {}


@pytest.mark.parametrize("scripts", [True, False])
def test_counselor_makes_a_group_and_cancels_a_date_on_a_phone(cast, open_page, scripts):
    page = open_page(cast.carol, scripts=scripts)
    page.goto("/admin/groups/group/add/")
    page.get_by_label("Name:").fill("Monday walk")
    page.locator("#id_series-0-weekdays").get_by_label("Monday").check()
    page.locator("#id_series-0-weekdays").get_by_label("Thursday").check()
    page.locator("#id_series-0-start_time").fill("18:30")
    press(page.get_by_role("button", name="Save", exact=True))

    group = Group.objects.get(name="Monday walk")
    assert group.slug == "monday-walk"
    assert group.series.get().weekdays == [0, 3]

    first = Meeting.objects.filter(group=group).in_order().first()
    page.goto(reverse("admin:meetings_meeting_change", args=[first.pk]))
    page.get_by_role("link", name="Cancel this date").click()
    page.get_by_label("Reason:").fill("The room is closed.")
    page.get_by_role("button", name="Cancel these dates").click()

    page.get_by_text("1 date cancelled.").wait_for()
    first.refresh_from_db()
    assert (first.status, first.cancel_reason) == ("cancelled", "The room is closed.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_counselor_invites_somebody_and_takes_it_back_on_a_phone(cast, open_page, scheme):
    page = open_page(cast.carol, scripts=False, scheme=scheme)
    page.goto("/admin/groups/invitation/add/")
    page.get_by_label("Group:").select_option(label="Willow evening")
    press(page.get_by_role("button", name="Save", exact=True))

    link = page.get_by_label("To copy").input_value()
    shot(page, f"admin-invitation-link-390-{scheme}")
    assert not is_wider_than_the_window(page)
    page.emulate_media(media="print")
    shot(page, f"admin-invitation-slip-390-{scheme}")
    printed = page.inner_text("body")
    assert link in printed
    assert "Willow" not in printed
    assert "Groups" not in printed

    page.emulate_media(media="screen")
    page.goto("/admin/groups/invitation/")
    page.locator("tbody input[type=checkbox]").check()
    page.get_by_label("Action:").select_option(label="Take the invitation back…")
    press(page.get_by_role("button", name="Go"))
    shot(page, f"admin-invitation-revoke-390-{scheme}")
    press(page.get_by_role("button", name="Take back"))
    assert "1 invitation taken back." in page.inner_text("body")


@pytest.mark.parametrize("scripts", [True, False])
def test_coordinator_lets_a_mail_leave_again_on_a_phone(cast, open_page, scripts):
    make_mail(cast, state="failed", reason="refused (550)")
    make_mail(cast, state="sent", sent_at=timezone.now())
    page = open_page(cast.olga, scripts=scripts, scheme="dark" if scripts else "light")
    page.goto("/admin/outbox/email/")
    for tick in page.locator("tbody input[type=checkbox]").all():
        tick.check()
    page.get_by_label("Action:").select_option(label="Try again…")
    press(page.get_by_role("button", name="Go"))
    shot(page, f"admin-mail-try-again-390-{'dark' if scripts else 'light'}")
    assert not is_wider_than_the_window(page)
    if scripts:  # axe is one
        assert accessibility_faults(page) == []
    press(page.get_by_role("button", name="Send them now"))

    assert "1 mail leaves now." in page.inner_text("body")
    assert Email.objects.filter(state="queued").count() == 1
