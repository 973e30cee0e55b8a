"""From a new group to a held meeting, as people do it: a counselor, a member, a coordinator, each in a browser.

Against gunicorn, a real worker, real ticks of beat and a real SMTP server; leaves a picture of each step.
"""

import re
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.conf import global_settings
from django.utils import timezone

from groups.models import Membership
from meetings.models import Meeting, Participation
from members.models import Member
from tests import make
from tests.browser import accessibility_faults, shot
from tests.site import running_site, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
MEMBER = "river@example.org"


@pytest.fixture
def site(tmp_path, transactional_db):
    with running_site(tmp_path) as site:
        yield site


@pytest.fixture
def staff(transactional_db, settings):
    """A counselor and a coordinator, each with the secret of their second factor."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # as the site's own processes know them
    secrets = {}
    for name, role in (("Carol", Member.Role.COUNSELOR), ("Olga", Member.Role.COORDINATOR)):
        member = make.member(name, email=f"{name.lower()}@example.org", role=role)
        secrets[member.email] = generate_totp_secret()
        TOTP.activate(member, secrets[member.email])
    make.agreement(text="What is said here stays here. You can always pass.")
    return secrets


@pytest.fixture
def open_page(site, browser):
    """A new browser of somebody: no cookies, their own size."""

    def open_page(size, *, javascript=True):
        context = browser.new_context(base_url=site.url, viewport=size, locale="en-US", java_script_enabled=javascript)
        context.set_default_timeout(15_000)
        return context.new_page()

    return open_page


def zone_where_it_is_day() -> ZoneInfo:
    """Reminders leave by day only: a zone in which it is about noon now."""
    zones = ["Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/Berlin", "America/Sao_Paulo", "America/Denver"]
    return min(map(ZoneInfo, zones), key=lambda zone: abs(timezone.now().astimezone(zone).hour - 13))


def sign_in_with_second_factor(page, email: str, secret: str, *, window: int = 0) -> None:
    """A code is good once: the second sign-in within half a minute uses that of the next window."""
    page.goto("/admin/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    code = format_hotp_value(hotp_value(secret, int(time.time() // 30) + window))
    page.locator("input[name=code]").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).first.click()
    page.wait_for_url("**/admin/")


def fill_schedule(page, number: int, start: datetime) -> None:
    page.locator(f"input[name=series-{number}-weekdays][value='{start.weekday()}']").check()
    page.locator(f"input[name=series-{number}-start_time]").fill(f"{start:%H:%M}")


def test_from_a_new_group_to_a_held_meeting(site, staff, open_page):
    zone = zone_where_it_is_day()
    now = timezone.now().astimezone(zone)
    in_two_days, soon = now + timedelta(hours=36), now + timedelta(minutes=40)

    # The counselor makes a group with two weekly dates: one in a day and a half, one in forty minutes.
    desk = open_page(DESK)
    sign_in_with_second_factor(desk, "carol@example.org", staff["carol@example.org"])
    desk.goto("/admin/groups/group/add/")
    desk.get_by_label("Name:").fill("Harbor lights")
    desk.get_by_label("Joining:").select_option("request")
    desk.get_by_label("Time zone:").fill(zone.key)
    desk.get_by_label("Area, shown to everybody:").fill("Old harbor")
    desk.get_by_label("Address:", exact=True).fill("7 Quay Street")
    fill_schedule(desk, 0, in_two_days)
    desk.locator("#series-group .add-row a").click()
    fill_schedule(desk, 1, soon)
    shot(desk, "walk-01-counselor-makes-a-group")
    desk.get_by_role("button", name="Save", exact=True).click()
    desk.get_by_text("was added successfully").wait_for()
    assert Meeting.objects.count() == 24
    meeting = Meeting.objects.filter(starts_at__gt=timezone.now() + timedelta(hours=24)).in_order()[0]
    tonight = Meeting.objects.in_order()[0]

    # A visitor on a phone finds it and signs up.
    phone = open_page(PHONE)
    phone.goto("/")
    phone.get_by_role("link", name="Find a meeting").first.click()
    phone.get_by_label("Name or area").fill("harbor")
    phone.get_by_role("button", name="Show meetings").click()
    shot(phone, "walk-02-visitor-finds-a-meeting")
    phone.goto(meeting.get_absolute_url())
    assert "7 Quay Street" not in phone.content()
    phone.get_by_role("link", name="Sign up to come").click()
    phone.get_by_label("Email").fill(MEMBER)
    phone.get_by_label("Display name").fill("River")
    phone.get_by_label("Password").fill(make.PASSWORD)
    shot(phone, "walk-03-visitor-signs-up")
    phone.get_by_role("button", name="Sign up").click()
    phone.get_by_label("Code").fill(site.wait_for_mail(MEMBER, "Your code").code)
    phone.get_by_role("button", name="Confirm").click()

    # The person asks to join, reading the ground rules; the counselor says yes.
    phone.get_by_role("button", name="I’m going").click()
    phone.get_by_text("You can always pass").first.wait_for()
    phone.get_by_label("I have read this and I agree.").check()
    phone.get_by_label("Send me a short e-mail").check()
    shot(phone, "walk-04-member-reads-the-ground-rules")
    phone.get_by_role("button", name="Ask to join").click()
    phone.get_by_text("A counselor will answer").first.wait_for()
    desk.goto("/admin/groups/membership/?status__exact=requested")
    desk.locator("input.action-select").check()
    desk.locator("select[name=action]").select_option("approve_requests")
    shot(desk, "walk-05-counselor-approves")
    desk.get_by_role("button", name=re.compile("Go|Run")).click()
    desk.get_by_role("button", name="Approve").click()
    desk.locator(".messagelist").wait_for()
    assert Membership.objects.get().status == "active"
    assert "The answer is yes." in site.wait_for_mail(MEMBER, "An answer for you").text

    # Now there is a place, and "I can't make it" gives it back.
    phone.goto(meeting.get_absolute_url())
    phone.get_by_role("button", name="I’m going").click()
    phone.get_by_text("7 Quay Street").wait_for()
    shot(phone, "walk-06-member-has-a-place")
    phone.get_by_role("button", name="I can’t make it").click()
    phone.get_by_text("free for someone else").wait_for()
    assert Meeting.objects.get(pk=meeting.pk).places_taken == 0
    phone.get_by_role("button", name="I’m going").click()
    phone.get_by_text("You have a place").first.wait_for()
    phone.goto(tonight.get_absolute_url())
    phone.get_by_role("button", name="I’m going").click()
    phone.get_by_text("You have a place").first.wait_for()

    # The reminder comes by itself, once, and its link changes nothing until a button is pressed.
    reminder = site.wait_for_mail(MEMBER, "Reminder")
    assert not re.search("harbor|group|recovery", f"{reminder.subject} {reminder.text}", re.IGNORECASE)
    stranger = open_page(PHONE, javascript=False)
    stranger.goto(reminder.answer_link)
    shot(stranger, "walk-07-answer-from-the-mail")
    assert "Harbor" not in stranger.content()
    assert Participation.objects.get(meeting=meeting).rsvp == "going"
    stranger.get_by_role("button", name="I can’t make it").click()
    stranger.get_by_text("free for someone else").wait_for()
    assert Participation.objects.get(meeting=meeting).rsvp == "declined"
    stranger.get_by_role("button", name="I’m coming").click()
    stranger.get_by_text("You have a place").wait_for()

    # The counselor takes attendance on a phone without JavaScript: two taps a person.
    pocket = open_page(PHONE, javascript=False)
    sign_in_with_second_factor(pocket, "carol@example.org", staff["carol@example.org"], window=1)
    pocket.goto(f"{tonight.get_absolute_url()}roster/")
    pocket.get_by_role("button", name="River is here", exact=True).click()
    pocket.get_by_text("1 person here").wait_for()
    pocket.get_by_role("button", name="One more").click()
    pocket.get_by_text("2 people here").wait_for()
    shot(pocket, "walk-08-roster")
    assert Participation.objects.get(meeting=tonight).attendance == "present"

    # Time passes, the meeting begins, and a tick counts it as held.
    Meeting.objects.filter(pk=tonight.pk).update(starts_at=timezone.now() - timedelta(minutes=1))
    wait_until(lambda: Meeting.objects.get(pk=tonight.pk).status == "held")

    # The counselor cancels the other date: whoever was coming hears at once.
    desk.goto("/admin/meetings/meeting/")
    desk.locator(f"input.action-select[value='{meeting.pk}']").check()
    desk.locator("select[name=action]").select_option("cancel_dates")
    desk.get_by_role("button", name=re.compile("Go|Run")).click()
    desk.get_by_label("Reason").fill("The room is closed that day.")
    shot(desk, "walk-09-counselor-cancels-a-date")
    desk.locator("form [type=submit]").last.click()
    desk.locator(".messagelist").wait_for()
    assert Meeting.objects.get(pk=meeting.pk).status == "cancelled"
    site.wait_for_mail(MEMBER, "cancelled|Cancelled|not take place")
    phone.goto(meeting.get_absolute_url())
    phone.get_by_text("This meeting is cancelled").wait_for()

    # Staff look at the figures.
    office = open_page(DESK)
    sign_in_with_second_factor(office, "olga@example.org", staff["olga@example.org"])
    office.goto("/reports/attendance/")
    office.get_by_role("rowheader", name="Harbor lights").first.wait_for()
    shot(office, "walk-10-attendance")
    assert accessibility_faults(office) == []
    with office.expect_download() as download:
        office.get_by_role("link", name=re.compile("CSV")).click()
    assert "Harbor lights" in download.value.path().read_text(encoding="utf-8-sig")

    subjects = [mail.subject for mail in site.mails_to(MEMBER)]
    assert len([subject for subject in subjects if "Reminder" in subject]) == 1
