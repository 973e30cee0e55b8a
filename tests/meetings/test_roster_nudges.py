"""Counselors hear the next morning that nobody has noted who came: three times at most, and not once it is noted."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from groups.models import Facilitator
from meetings import services, tasks
from meetings.models import Meeting
from members.models import Member, ReminderSettings
from outbox import kinds
from outbox.kinds import Later
from outbox.models import Email
from tests import make
from tests.outbox.test_claims import at_once
from tests.outbox.test_unsubscribe import address_of

from .mail_clock import deliver_travelling

NEW_YORK = ZoneInfo("America/New_York")
EVENING = datetime(2026, 11, 16, 18, 30, tzinfo=NEW_YORK)  # a Monday that is past: the database has its own clock
DAY = timedelta(days=1)
NOW = EVENING


@pytest.fixture
def willow(cast, clock):
    """Carol's meeting of Monday evening, of which nobody has noted who came."""
    Meeting.objects.all().delete()
    cast.meeting = make.meeting(cast.willow, starts_at=EVENING)
    make.participation(cast.meeting, cast.mia)
    return cast


def morning(days=1):
    return EVENING.replace(hour=9, minute=5) + days * DAY


def told():
    return [row.recipient.display_name for row in Email.objects.filter(kind="roster_open").select_related("recipient")]


@pytest.mark.parametrize(
    ("after", "is_due"),
    [
        (timedelta(hours=2), False),  # it is evening
        (timedelta(hours=14, minutes=29), False),  # 8:59 of the next morning
        (timedelta(hours=14, minutes=30), True),
        (timedelta(hours=24, minutes=29), True),
        (timedelta(hours=24, minutes=31), False),  # 19:01
        (timedelta(hours=14, minutes=30) + 2 * DAY, True),  # the site was away for two days
        (timedelta(hours=14, minutes=30) + 3 * DAY, False),
        (timedelta(hours=14, minutes=30) + 7 * DAY, True),
        (timedelta(hours=14, minutes=30) + 14 * DAY, True),
        (timedelta(hours=14, minutes=30) + 21 * DAY, False),
    ],
)
def test_told_by_day_after_a_night_or_a_week_or_two(willow, clock, after, is_due):
    clock.move_to(EVENING + after)

    assert services.queue_roster_nudges() == (1 if is_due else 0)
    assert services.queue_roster_nudges() == 0
    assert told() == (["Carol"] if is_due else [])


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"])
def test_morning_is_that_of_the_groups_own_zone(willow, clock, zone):
    start = datetime(2026, 11, 16, 18, 30, tzinfo=ZoneInfo(zone))
    Meeting.objects.update(starts_at=start, ends_at=start + timedelta(hours=1), time_zone=zone)
    due = []
    for hours in range(8, 36):
        clock.move_to(start + timedelta(hours=hours, minutes=30))
        due += [(start + timedelta(hours=hours, minutes=30)).hour] * services.queue_roster_nudges()

    assert due == [9]


@pytest.mark.parametrize("clocks_change_on", ["2025-11-02", "2026-03-08"])
def test_three_in_all_asked_for_a_month_and_over_a_change_of_clocks(willow, clock, clocks_change_on):
    start = datetime.fromisoformat(f"{clocks_change_on}T18:30").replace(tzinfo=NEW_YORK) - DAY
    Meeting.objects.update(starts_at=start, ends_at=start + timedelta(hours=1), local_date=start.date())
    days = []
    for hours in range(0, 24 * 30, 8):
        now = start.astimezone(ZoneInfo("UTC")) + timedelta(hours=hours)
        clock.move_to(now)
        days += [(now.astimezone(NEW_YORK).date() - start.date()).days] * services.queue_roster_nudges()

    assert days == [1, 8, 15]


def _noted(cast):
    services.record_attendance(cast.meeting, cast.mia.pk, "present", by=cast.carol)


def _did_not_meet(cast):
    services.mark_did_not_meet(cast.meeting, by=cast.carol)


def _cancelled(cast):
    Meeting.objects.update(status="cancelled")


def _left_the_group(cast):
    Facilitator.objects.filter(member=cast.carol).delete()


def _other_work(cast):
    Member.objects.filter(pk=cast.carol.pk).update(role="member")


def _closed(cast):
    Member.objects.filter(pk=cast.carol.pk).update(is_active=False)


def _switched_off(cast):
    ReminderSettings.objects.create(member=cast.carol, roster_nudges=False)


def _paused(cast):
    ReminderSettings.objects.create(member=cast.carol, paused_until=EVENING.date() + 20 * DAY)


def _unconfirmed(cast):
    cast.carol.emailaddress_set.update(verified=False)


def _one_click(cast):
    email = Email(recipient=cast.carol, kind="roster_open", about_id=cast.meeting.pk)
    assert Client().post(address_of(email), {"List-Unsubscribe": "One-Click"}).status_code == 200


EVENTS = [
    _noted,
    _did_not_meet,
    _cancelled,
    _left_the_group,
    _other_work,
    _closed,
    _switched_off,
    _paused,
    _unconfirmed,
    _one_click,
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_nobody_is_told_who_must_not_be(willow, clock, event):
    clock.move_to(morning())
    event(willow)

    assert services.queue_roster_nudges() == 0


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_what_happens_between_planning_and_sending_still_counts(willow, clock, smtp, event):
    clock.move_to(morning())
    services.queue_roster_nudges()
    event(willow)

    deliver_travelling()

    assert smtp.taken == []
    assert Email.objects.get().state == "suppressed"


def test_substitute_and_counselors_of_other_groups_are_not_told(willow, clock):
    Facilitator.objects.create(group=willow.willow, member=willow.dan, role="substitute")
    Facilitator.objects.create(group=willow.willow, member=willow.olga, role="co")
    clock.move_to(morning())

    services.queue_roster_nudges()

    assert sorted(told()) == ["Carol", "Olga"]


def test_mail_says_when_and_neither_which_group_nor_who(willow, clock, smtp):
    clock.move_to(morning())
    services.queue_roster_nudges()

    deliver_travelling()

    mail = smtp.mail_to(willow.carol.email)
    text = mail.get_body(["plain"]).get_content()
    assert mail["Subject"] == "Still open: Mon 6:30 pm (EST)"
    assert text.splitlines()[0] == "Nobody has noted yet who came on Monday, November 16, 6:30 pm (EST)."
    assert reverse("meetings:meeting_roster", args=[willow.meeting.pk]) in text
    assert "/u/" in mail["List-Unsubscribe"]
    whole = text + mail.get_body(["html"]).get_content()
    assert [word for word in ("Willow", "Mia", "group", "counselor") if word in whole] == []


def test_mail_held_up_until_night_waits_for_the_morning(willow, clock):
    clock.move_to(morning())
    services.queue_roster_nudges()
    clock.move_to(EVENING + DAY + timedelta(hours=4))

    [email] = Email.objects.select_related("recipient")
    assert kinds.get("roster_open").prepare([email]) == {email.pk: Later(EVENING.replace(hour=9, minute=0) + 2 * DAY)}


def test_site_that_does_without_sends_none_not_even_those_that_wait(willow, clock, smtp, settings, sign_in):
    clock.move_to(morning())
    services.queue_roster_nudges()
    settings.MAILS_OFF = ["roster_open"]

    assert deliver_travelling() == [("roster_open", "suppressed", "not sent here any more")]
    Email.objects.all().delete()
    assert services.queue_roster_nudges() == 0
    assert smtp.taken == []
    assert b"roster_nudges" not in sign_in(willow.carol).get(reverse("meetings:reminders")).content


def test_counselor_says_so_on_the_page_and_sees_the_mail_there(cast, sign_in):
    client = sign_in(cast.carol)
    address = reverse("meetings:reminders")
    page = client.get(address)

    client.post(address, {"lead": "days", "wording": "neutral"})
    assert not ReminderSettings.objects.get(member=cast.carol).roster_nudges
    client.post(address, {"lead": "days", "wording": "neutral", "roster_nudges": "on"})
    assert ReminderSettings.objects.get(member=cast.carol).roster_nudges

    assert page.context["form"].initial["roster_nudges"]
    assert "Nobody has noted yet who came on " in page.content.decode()
    assert b"roster_nudges" not in sign_in(cast.mia).get(address).content


def test_beat_asks_for_it(willow, clock):
    clock.move_to(morning())
    tasks.queue_roster_nudges()

    assert told() == ["Carol"]


@pytest.mark.parametrize("how_many", [3, 30])
def test_cost_of_planning_and_writing_is_the_same_for_few_and_many(willow, clock, django_assert_num_queries, how_many):
    for number in range(how_many - 1):
        make.meeting(willow.willow, starts_at=EVENING - timedelta(minutes=number + 1))
    clock.move_to(morning())

    with django_assert_num_queries(4):  # the savepoint of the test around it
        assert services.queue_roster_nudges() == how_many
    emails = list(Email.objects.select_related("recipient"))
    with django_assert_num_queries(6):
        assert len(kinds.get("roster_open").prepare(emails)) == how_many


def test_two_ticks_at_once_tell_each_once(transactional_db):
    group = make.group(time_zone="America/New_York")
    counselors = make.members(50)
    Member.objects.update(role="counselor")
    Facilitator.objects.bulk_create(Facilitator(group=group, member=one) for one in counselors)
    make.meeting(group, starts_at=EVENING)

    with time_machine.travel(morning()):
        assert sum(at_once(4, services.queue_roster_nudges)) == 50

    assert Email.objects.count() == 50
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT (recipient_id, about_id)) FROM outbox_email")
        assert cursor.fetchone() == (50,)
