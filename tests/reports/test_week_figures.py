"""The numbers of the week by mail: to staff who ask for it, once, and never a number that points at persons."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Member, ReminderSettings
from outbox import kinds
from outbox.kinds import Later
from outbox.models import Email
from reports import services, tasks
from tests import make
from tests.meetings.mail_clock import deliver_travelling
from tests.outbox.test_claims import at_once
from tests.outbox.test_unsubscribe import address_of

from .test_attendance import held

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
MONDAY = datetime(2026, 11, 16, 9, 5, tzinfo=LOS_ANGELES)
DAY = timedelta(days=1)


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def asked(cast, clock):
    """Rita and Olga ask for it. Last week 23 came, the week before 7."""
    for member in (cast.rita, cast.olga):
        ReminderSettings.objects.create(member=member, weekly_figures=True)
    held(cast.willow, date(2026, 11, 10), came=13, absent=4)
    held(cast.cedar, date(2026, 11, 12), came=10)
    held(cast.willow, date(2026, 11, 3), came=7)
    return cast


def told():
    return sorted(Email.objects.filter(kind="figures").values_list("recipient__display_name", flat=True))


def test_once_a_week_to_those_who_ask(asked, clock):
    assert [services.queue_week_figures(), services.queue_week_figures()] == [2, 0]
    assert told() == ["Olga", "Rita"]
    clock.move_to(MONDAY + 7 * DAY)
    assert services.queue_week_figures() == 2


def test_mail_has_sums_of_all_and_hides_what_points_at_persons_from_everybody(asked, smtp):
    """Willow's 13, Cedar's 10 and the 7 of the week before are not in it, for a coordinator neither."""
    services.queue_week_figures()

    assert {state for _kind, state, _reason in deliver_travelling()} == {"sent"}
    for person in (asked.rita, asked.olga):
        mail = smtp.mail_to(person.email)
        text = mail.get_body(["plain"]).get_content().replace("\r\n", "\n")
        assert mail["Subject"] == "The week to November 15"
        assert text.splitlines()[0] == "Here are the numbers of the week to November 15."
        assert "Week from November 9\nMeetings held: 2\nPlaces: 120\nSaid going: 27\nCame: 23\n" in text
        assert "Week from November 2\nNot shown: fewer than 11 people." in text
        html = mail.get_body(["html"]).get_content()
        assert [
            one for one in (": 13", ": 10\n", ": 7", ">13<", ">10<", ">7<", "Willow", "Cedar") if one in text + html
        ] == []
        assert "/u/" in mail["List-Unsubscribe"]


def test_week_of_which_a_list_is_open_is_not_shown(asked, smtp):
    make.meeting(asked.willow, starts_at=MONDAY - 2 * DAY)
    services.queue_week_figures()

    deliver_travelling()

    text = smtp.mail_to(asked.rita.email).get_body(["plain"]).get_content()
    assert "Not shown: not complete yet." in text
    assert "23" not in text.split("http")[0]


@pytest.mark.parametrize(
    ("after", "is_due"),
    [
        (timedelta(minutes=-6), False),  # 8:59
        (timedelta(hours=9, minutes=54), True),
        (timedelta(hours=9, minutes=55), False),  # 19:00
        (2 * DAY, True),  # the site was away since Sunday
        (3 * DAY, False),
        (-DAY, False),
    ],
)
def test_on_monday_by_day_and_caught_up_for_two_days(asked, clock, after, is_due):
    clock.move_to(MONDAY + after)

    assert services.queue_week_figures() == (2 if is_due else 0)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/New_York", "2026-11-16 09"),
        ("Asia/Kolkata", "2026-11-16 17"),  # the week is over everywhere on Monday at noon in London
        ("Pacific/Auckland", "2026-11-17 09"),
    ],
)
def test_morning_is_that_of_the_reader_once_the_week_is_over_everywhere(asked, clock, zone, first):
    Member.objects.update(time_zone=zone)
    start, seen = datetime(2026, 11, 15, 12, tzinfo=ZoneInfo("UTC")), []
    for hours in range(72):
        clock.move_to(start + timedelta(hours=hours, minutes=10))
        seen += [f"{timezone.now().astimezone(ZoneInfo(zone)):%Y-%m-%d %H}"] * services.queue_week_figures()

    assert seen == [first, first]


@pytest.mark.parametrize("monday", ["2025-11-03", "2026-03-09"])
def test_over_a_change_of_clocks_once_and_by_day(asked, clock, monday):
    start = datetime.fromisoformat(monday).replace(tzinfo=LOS_ANGELES) - 2 * DAY
    hours = []
    for step in range(0, 120, 3):
        clock.move_to(start.astimezone(ZoneInfo("UTC")) + timedelta(hours=step))
        hours += [timezone.now().astimezone(LOS_ANGELES).hour] * services.queue_week_figures()

    assert len(hours) == 2
    assert all(9 <= hour < 19 for hour in hours)


def _other_work(cast):
    Member.objects.filter(pk__in=[cast.rita.pk, cast.olga.pk]).update(role="counselor")


def _not_wanted(cast):
    ReminderSettings.objects.update(weekly_figures=False)


def _one_click(cast):
    for member in (cast.rita, cast.olga):
        link = address_of(Email(recipient=member, kind="figures", about_id=member.pk))
        assert Client().post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200


def _paused(cast):
    ReminderSettings.objects.update(paused_until=MONDAY.date() + 5 * DAY)


def _unconfirmed(cast):
    for member in (cast.rita, cast.olga):
        member.emailaddress_set.update(verified=False)


def _closed(cast):
    Member.objects.update(is_active=False)


EVENTS = [_other_work, _not_wanted, _one_click, _paused, _unconfirmed, _closed]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_nobody_gets_it_who_must_not(asked, event):
    event(asked)

    assert services.queue_week_figures() == 0


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_what_happens_between_planning_and_sending_still_counts(asked, smtp, event):
    services.queue_week_figures()
    event(asked)

    assert {state for _kind, state, _reason in deliver_travelling()} == {"suppressed"}
    assert smtp.taken == []


def test_at_night_it_waits_for_the_morning(asked, clock):
    services.queue_week_figures()
    emails = list(Email.objects.select_related("recipient"))
    clock.move_to(MONDAY.replace(hour=20))

    assert kinds.get("figures").prepare(emails) == {
        email.pk: Later(MONDAY.replace(hour=9, minute=0) + DAY) for email in emails
    }


def test_site_that_does_without_sends_none(asked, smtp, settings, sign_in):
    services.queue_week_figures()
    settings.MAILS_OFF = ["figures"]

    assert {reason for _kind, _state, reason in deliver_travelling()} == {"not sent here any more"}
    Email.objects.all().delete()
    assert services.queue_week_figures() == 0
    assert b"weekly_figures" not in sign_in(asked.olga).get(reverse("meetings:reminders")).content


def test_asked_for_on_the_page_by_those_who_see_sums(cast, sign_in):
    address = reverse("meetings:reminders")
    offered = {
        name
        for name in ("mia", "carol", "olga", "rita", "sam")
        if b"weekly_figures" in sign_in(getattr(cast, name)).get(address).content
    }
    sign_in(cast.rita).post(address, {"lead": "days", "wording": "neutral", "weekly_figures": "on"})
    sign_in(cast.carol).post(address, {"lead": "days", "wording": "neutral", "weekly_figures": "on"})

    assert offered == {"olga", "rita"}
    assert list(ReminderSettings.objects.filter(weekly_figures=True).values_list("member", flat=True)) == [cast.rita.pk]


def test_beat_asks_for_it(asked):
    tasks.queue_week_figures()

    assert told() == ["Olga", "Rita"]


@pytest.mark.parametrize("how_many", [3, 60])
def test_cost_of_planning_and_writing_is_the_same_for_few_and_many(asked, django_assert_num_queries, how_many):
    more = make.members(how_many - 2)
    Member.objects.filter(pk__in=[one.pk for one in more]).update(role="reports")
    ReminderSettings.objects.bulk_create(ReminderSettings(member=one, weekly_figures=True) for one in more)

    with django_assert_num_queries(4):  # the savepoint of the test around it
        assert services.queue_week_figures() == how_many
    emails = list(Email.objects.select_related("recipient"))
    with django_assert_num_queries(6):
        kinds.get("figures").prepare(emails)


def test_two_ticks_at_once_queue_it_once(transactional_db):
    people = make.members(30)
    Member.objects.update(role="reports")
    ReminderSettings.objects.bulk_create(ReminderSettings(member=one, weekly_figures=True) for one in people)

    with time_machine.travel(MONDAY):
        assert sum(at_once(4, services.queue_week_figures)) == 30
    assert Email.objects.count() == 30
