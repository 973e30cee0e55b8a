"""What to expect, once before somebody's first meeting, and only for those who want reminders."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from groups.models import Membership
from meetings import services, tasks
from meetings.models import Meeting
from members.models import Consent, ReminderSettings
from members.services import give_consent
from outbox import kinds
from outbox.kinds import Later
from outbox.models import Email
from tests import make
from tests.outbox.test_claims import at_once

from . import stops
from .mail_clock import deliver
from .stops import press_unsubscribe

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 9, 12, tzinfo=NEW_YORK)
DAY = timedelta(days=1)
NOW = MONDAY


@pytest.fixture
def first(cast, clock):
    """Mia has her first place ever, on Thursday evening; Max wants no reminders."""
    Meeting.objects.all().delete()
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    cast.meeting = make.meeting(cast.willow, starts_at=(MONDAY + 3 * DAY).replace(hour=18, minute=30))
    for member in (cast.mia, cast.max):
        make.participation(cast.meeting, member)
    return cast


def test_once_to_those_who_want_reminders(first):
    assert [services.queue_welcomes(), services.queue_welcomes()] == [1, 0]
    assert Email.objects.get().key == f"welcome/{first.mia.pk}"


def test_never_again_after_another_first_place(first, clock):
    services.queue_welcomes()
    clock.move_to(MONDAY + DAY)
    make.participation(make.meeting(first.cedar, starts_at=MONDAY + 2 * DAY), first.mia)
    make.membership(first.cedar, first.mia)

    assert services.queue_welcomes() == 0


def test_mail_says_what_to_expect_and_neither_where_nor_why(first, smtp):
    services.queue_welcomes()

    assert deliver() == [("sent", "")]
    mail = smtp.mail_to(first.mia.email)
    text = mail.get_body(["plain"]).get_content()
    assert mail["Subject"] == "First time: Thu 6:30 pm (EST)"
    assert text.splitlines()[0] == ("You have a place on Thursday, November 12, 6:30 pm (EST). This is what to expect.")
    assert "It takes about 90 minutes." in text
    assert "/m/" in text
    whole = text + mail.get_body(["html"]).get_content()
    assert [word for word in ("Willow", "Hidden", "group", "counsel") if word in whole] == []


@pytest.mark.parametrize(
    ("ahead", "is_due"),
    [
        (timedelta(hours=2), False),
        (timedelta(hours=2, minutes=1), True),
        (timedelta(days=7), True),
        (timedelta(days=7, minutes=1), False),
    ],
)
def test_from_a_week_before_to_two_hours_before(first, ahead, is_due):
    Meeting.objects.update(starts_at=MONDAY + ahead, ends_at=MONDAY + 10 * DAY)

    assert services.queue_welcomes() == (1 if is_due else 0)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata"])
@pytest.mark.parametrize(("hour", "is_due"), [(8, False), (9, True), (18, True), (19, False)])
def test_leaves_by_day_where_the_group_is(first, clock, zone, hour, is_due):
    now = datetime(2026, 11, 9, hour, 5, tzinfo=ZoneInfo(zone))
    clock.move_to(now)
    Meeting.objects.update(starts_at=now + 2 * DAY, ends_at=now + 3 * DAY, time_zone=zone)

    assert services.queue_welcomes() == (1 if is_due else 0)


@pytest.mark.parametrize("clocks_change_on", ["2025-11-02", "2026-03-08"])
def test_over_a_change_of_clocks_once_and_by_day_however_often_asked(first, clock, clocks_change_on):
    evening = datetime.fromisoformat(f"{clocks_change_on}T18:30").replace(tzinfo=NEW_YORK)
    Meeting.objects.update(starts_at=evening, ends_at=evening + timedelta(hours=1))
    hours = []
    for step in range(0, 48, 2):
        clock.move_to(evening - timedelta(hours=48 - step))
        hours += [timezone.now().astimezone(NEW_YORK).hour] * services.queue_welcomes()

    assert len(hours) == 1
    assert 9 <= hours[0] < 19


def test_after_an_outage_until_the_meeting_was_it_is_too_late(first, clock):
    clock.move_to(MONDAY + 4 * DAY)
    make.participation(make.meeting(first.willow, starts_at=MONDAY + 6 * DAY), first.mia)

    assert services.queue_welcomes() == 0


def _been_before(cast):
    make.participation(make.meeting(cast.cedar, starts_at=MONDAY - 9 * DAY), cast.mia)


def _came_without_a_place(cast):
    earlier = make.meeting(cast.cedar, starts_at=MONDAY - 9 * DAY)
    make.participation(earlier, cast.mia, None, attendance="present")


def _declined(cast):
    cast.meeting.participations.update(rsvp="declined")


def _one_click(cast):
    press_unsubscribe(cast, "welcome", cast.meeting.pk)


def _only_this_group(cast):
    press_unsubscribe(cast, "welcome", cast.meeting.pk, only="there")


def _paused(cast):
    ReminderSettings.objects.create(member=cast.mia, paused_until=MONDAY.date() + 2 * DAY)


EVENTS = [
    _been_before,
    _came_without_a_place,
    _declined,
    stops.called_off,
    stops.left,
    stops.muted,
    stops.no_consent,
    _one_click,
    _only_this_group,
    _paused,
    stops.unconfirmed,
    stops.closed,
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_nobody_gets_it_who_must_not(first, event):
    event(first)

    assert services.queue_welcomes() == 0


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_what_happens_between_planning_and_sending_still_counts(first, smtp, event):
    services.queue_welcomes()
    event(first)

    assert [state for state, _reason in deliver()] == ["suppressed"]
    assert smtp.taken == []


def test_place_taken_elsewhere_meanwhile_is_the_one_it_speaks_of(first, smtp):
    services.queue_welcomes()
    first.meeting.participations.update(rsvp="declined")
    make.participation(make.meeting(first.willow, starts_at=MONDAY + 5 * DAY), first.mia)

    deliver()

    assert smtp.mail_to(first.mia.email)["Subject"] == "First time: Sat 12:00 pm (EST)"


def test_at_night_and_in_quiet_hours_it_waits(first, clock):
    services.queue_welcomes()
    [email] = Email.objects.select_related("recipient")
    clock.move_to(MONDAY.replace(hour=23))
    assert kinds.get("welcome").prepare([email]) == {email.pk: Later(MONDAY.replace(hour=9) + DAY)}

    clock.move_to(MONDAY)
    ReminderSettings.objects.create(member=first.mia, quiet_from=11, quiet_until=15)
    assert kinds.get("welcome").prepare([email]) == {email.pk: Later(MONDAY.replace(hour=15))}


def test_site_that_does_without_sends_none(first, smtp, settings, sign_in):
    services.queue_welcomes()
    settings.MAILS_OFF = ["welcome"]

    assert deliver() == [("suppressed", "not sent here any more")]
    Email.objects.all().delete()
    assert services.queue_welcomes() == 0
    assert "Before your first" not in sign_in(first.mia).get(reverse("meetings:reminders")).content.decode()


def test_beat_asks_for_it(first):
    tasks.queue_welcomes()

    assert Email.objects.get().kind == "welcome"


@pytest.mark.parametrize("how_many", [3, 60])
def test_cost_of_planning_and_writing_is_the_same_for_few_and_many(first, django_assert_num_queries, how_many):
    Meeting.objects.update(capacity=500)
    for member in make.members(how_many - 1):
        Membership.objects.create(group=first.willow, member=member, status="active", joined_at=MONDAY)
        give_consent(member, Consent.Kind.REMINDERS)
        make.participation(first.meeting, member)

    with django_assert_num_queries(4):  # the savepoint of the test around it
        assert services.queue_welcomes() == how_many
    emails = list(Email.objects.select_related("recipient"))
    with django_assert_num_queries(7):
        kinds.get("welcome").prepare(emails)


def test_two_ticks_at_once_queue_it_once(house_rules, transactional_db):
    with time_machine.travel(MONDAY):
        meeting = make.meeting(make.group(), starts_at=MONDAY + 2 * DAY, capacity=100)
        for one in make.members(40):
            make.membership(meeting.group, one)
            give_consent(one, Consent.Kind.REMINDERS)
            make.participation(meeting, one)

        assert sum(at_once(4, services.queue_welcomes)) == 40
    assert Email.objects.count() == 40
