"""“We missed you”: asked for, once for two meetings in a row, and never when they left, came or said they cannot."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from groups.models import Membership
from meetings import services, tasks
from meetings.models import Meeting, Participation
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
MONDAY = datetime(2026, 11, 9, 18, 30, tzinfo=NEW_YORK)
MORNING = MONDAY.replace(hour=10) + timedelta(days=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
NOW = MORNING


def held(cast, weeks_ago, said, noted, *, group=None, recorded_at=None):
    """A meeting of a Monday, what Mia had said for it and what was noted of her, an hour after it ended."""
    starts_at = MONDAY - weeks_ago * WEEK
    meeting = make.meeting(group or cast.willow, starts_at=starts_at, status="held")
    recorded_at = recorded_at or starts_at + timedelta(hours=3)
    make.participation(meeting, cast.mia, said, attendance=noted, recorded_at=recorded_at if noted else None)
    return meeting


@pytest.fixture
def twice(cast, clock):
    """Mia asks for it. She came three weeks ago, and then twice had a place and was not there."""
    Meeting.objects.all().delete()
    give_consent(cast.mia, Consent.Kind.MISSED_YOU)
    held(cast, 2, "going", "present")
    cast.first = held(cast, 1, "going", "absent")
    cast.second = held(cast, 0, "going", "absent")
    cast.next = make.meeting(cast.willow, starts_at=MONDAY + WEEK)
    return cast


def test_once_the_day_after_the_second(twice, clock):
    clock.move_to(MONDAY + timedelta(hours=4))
    assert services.queue_missed_you() == 0
    clock.move_to(MORNING)
    assert [services.queue_missed_you(), services.queue_missed_you()] == [1, 0]
    assert Email.objects.get().key == f"missed/{twice.second.pk}/{twice.mia.pk}"


def test_mail_asks_nothing_names_nothing_and_has_the_crisis_lines(twice, smtp):
    services.queue_missed_you()

    assert deliver() == [("sent", "")]
    mail = smtp.mail_to(twice.mia.email)
    text = mail.get_body(["plain"]).get_content()
    assert mail["Subject"] == "We missed you"
    assert text.splitlines()[0] == "We missed you the last two times."
    assert "The next time is on Monday, November 16, 6:30 pm (EST)." in text
    assert "988" in text
    whole = text + mail.get_body(["html"]).get_content()
    assert [word for word in ("Willow", "Hidden", "group", "absent") if word in whole] == []


def test_without_a_next_meeting_it_names_none(twice, smtp):
    Meeting.objects.filter(pk=twice.next.pk).delete()
    services.queue_missed_you()

    deliver()

    assert "/m/" not in smtp.mail_to(twice.mia.email).get_body(["plain"]).get_content()


def test_third_and_fourth_of_a_streak_are_not_written_about_and_the_next_streak_is(twice, clock):
    """Week by week: away, away (a mail), away, away, there, away, away (another)."""
    services.queue_missed_you()
    Email.objects.update(queued_at=MORNING)
    Meeting.objects.filter(pk=twice.next.pk).delete()
    written = {}
    for number, noted in enumerate(["absent", "absent", "present", "absent", "absent"], start=1):
        clock.move_to(MORNING + number * WEEK)
        held(twice, -number, "going", noted)
        written[number] = services.queue_missed_you()
        Email.objects.update(queued_at=MORNING - 30 * DAY)

    assert written == {1: 0, 2: 0, 3: 0, 4: 0, 5: 1}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("going", "absent"), ("declined", "absent")),
        (("going", "absent"), ("declined", None)),
        (("declined", "absent"), ("going", "absent")),
        (("going", "absent"), ("going", "excused")),
        (("going", "excused"), ("going", "absent")),
        (("going", "absent"), ("going", None)),
        (("going", None), ("going", "absent")),
        (("going", "present"), ("going", "absent")),
        (("going", "late"), ("going", "absent")),
        (("going", "absent"), (None, "present")),
        ((None, "absent"), ("going", "absent")),
    ],
)
def test_only_two_places_in_a_row_that_are_noted_as_not_used_count(twice, first, second):
    for meeting, (said, noted) in ((twice.first, first), (twice.second, second)):
        meeting.participations.update(
            rsvp=said,
            rsvp_at=MONDAY - 3 * WEEK if said else None,
            attendance=noted,
            recorded_at=MONDAY + timedelta(hours=3) if noted else None,
        )

    assert services.queue_missed_you() == 0


def test_meeting_held_in_between_without_them_ends_the_row(twice):
    """They had a place at the first and the third, and at the second they had none."""
    make.meeting(twice.willow, starts_at=MONDAY - 3 * DAY, status="held")

    assert services.queue_missed_you() == 0


def test_meetings_that_were_off_or_are_not_noted_do_not_end_the_row(twice):
    for number, status in enumerate(["cancelled", "did_not_meet", "scheduled"], start=2):
        make.meeting(twice.willow, starts_at=MONDAY - number * DAY, status=status)

    assert services.queue_missed_you() == 1


@pytest.mark.parametrize(("days", "is_due"), [(0, True), (2, True), (3, False), (9, False)])
def test_caught_up_for_three_days_after_an_outage(twice, clock, days, is_due):
    clock.move_to(MORNING + days * DAY)

    assert services.queue_missed_you() == (1 if is_due else 0)


def test_list_noted_late_counts_from_when_it_is_noted(twice, clock):
    clock.move_to(MORNING + 5 * DAY)
    twice.first.participations.update(recorded_at=MORNING + 4 * DAY)

    assert services.queue_missed_you() == 1


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata"])
@pytest.mark.parametrize(("hour", "is_due"), [(8, False), (9, True), (18, True), (19, False)])
def test_leaves_by_day_where_the_group_is(twice, clock, zone, hour, is_due):
    Meeting.objects.update(time_zone=zone)
    clock.move_to(datetime(2026, 11, 11, hour, 5, tzinfo=ZoneInfo(zone)))

    assert services.queue_missed_you() == (1 if is_due else 0)


def test_over_a_change_of_clocks_once_and_by_day(twice, clock):
    shift = datetime(2026, 11, 1, 18, 30, tzinfo=NEW_YORK) - MONDAY  # the second meeting is on the day they change
    for meeting in Meeting.objects.all():
        starts_at = meeting.starts_at + shift
        local = starts_at.astimezone(NEW_YORK).date()
        Meeting.objects.filter(pk=meeting.pk).update(
            starts_at=starts_at, ends_at=starts_at + DAY / 24, local_date=local
        )
    Participation.objects.exclude(attendance=None).update(recorded_at=MONDAY + shift + DAY / 8)
    hours = []
    for step in range(0, 60, 2):
        clock.move_to(MONDAY + shift + timedelta(hours=step))
        hours += [timezone.now().astimezone(NEW_YORK).hour] * services.queue_missed_you()

    assert len(hours) == 1
    assert 9 <= hours[0] < 19


def test_one_at_a_time_for_somebody_missed_in_two_groups(twice):
    make.membership(twice.cedar, twice.mia)
    sent = [services.queue_missed_you()]
    for weeks_ago in (1, 0):
        meeting = held(twice, weeks_ago, "going", "absent", group=twice.cedar)
        Meeting.objects.filter(pk=meeting.pk).update(starts_at=meeting.starts_at - DAY / 24)

    assert [*sent, services.queue_missed_you()] == [1, 0]


def _came_since(cast):
    later = make.meeting(cast.willow, starts_at=MORNING - DAY / 24, status="held")
    make.participation(later, cast.mia, None, attendance="present")


def _noted_otherwise(cast):
    cast.second.participations.update(attendance="present")


def _excused(cast):
    cast.first.participations.update(attendance="excused")


def _left(cast):
    services.leave_group(cast.willow, by=cast.mia)


def _paused(cast):
    ReminderSettings.objects.create(member=cast.mia, paused_until=MORNING.date() + DAY)


def _one_click(cast):
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    press_unsubscribe(cast, "missed", cast.second.pk)
    assert Consent.objects.standing().get(member=cast.mia).kind == "reminders"  # another kind goes on


def _only_this_group(cast):
    press_unsubscribe(cast, "missed", cast.second.pk, only="there")


EVENTS = [
    _came_since,
    _noted_otherwise,
    _excused,
    _left,
    stops.removed,
    stops.muted,
    _paused,
    stops.no_consent,
    _one_click,
    _only_this_group,
    stops.unconfirmed,
    stops.closed,
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_nobody_gets_it_who_must_not(twice, event):
    event(twice)

    assert services.queue_missed_you() == 0


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_what_happens_between_planning_and_sending_still_counts(twice, smtp, event):
    services.queue_missed_you()
    event(twice)

    assert [state for state, _reason in deliver()] == ["suppressed"]
    assert smtp.taken == []


def test_at_night_it_waits_and_three_days_later_it_is_too_late(twice, clock, smtp):
    services.queue_missed_you()
    [email] = Email.objects.select_related("recipient")
    clock.move_to(MORNING.replace(hour=22))
    assert kinds.get("missed").prepare([email]) == {email.pk: Later(MORNING.replace(hour=9, minute=0) + DAY)}

    clock.move_to(MORNING + 3 * DAY)
    assert deliver() == [("expired", "too late")]
    assert smtp.taken == []


def test_site_that_does_without_sends_none(twice, smtp, settings, sign_in):
    services.queue_missed_you()
    settings.MAILS_OFF = ["missed"]

    assert deliver() == [("suppressed", "not sent here any more")]
    Email.objects.all().delete()
    assert services.queue_missed_you() == 0
    assert "missed" not in sign_in(twice.mia).get(reverse("meetings:reminders")).content.decode()


def test_asked_for_on_the_page_in_words_that_are_kept(cast, sign_in):
    client = sign_in(cast.mia)
    address, choices = reverse("meetings:reminders"), {"lead": "days", "wording": "neutral"}

    client.post(address, choices | {"missed_you": "on"})
    given = Consent.objects.standing().get(member=cast.mia)
    assert (given.kind, given.text) == ("missed-you", str(Consent.WORDS[Consent.Kind.MISSED_YOU]))
    assert client.get(address).context["form"].initial["missed_you"]

    client.post(address, choices)
    assert not Consent.objects.standing().exists()


def test_beat_asks_for_it(twice):
    tasks.queue_missed_you()

    assert Email.objects.get().kind == "missed"


@pytest.mark.parametrize("how_many", [3, 60])
def test_cost_of_planning_and_writing_is_the_same_for_few_and_many(twice, django_assert_num_queries, how_many):
    for member in make.members(how_many - 1):
        Membership.objects.create(group=twice.willow, member=member, status="active", joined_at=MONDAY - 9 * WEEK)
        give_consent(member, Consent.Kind.MISSED_YOU)
        Meeting.objects.update(capacity=500)
        for meeting in (twice.first, twice.second):
            make.participation(meeting, member, attendance="absent", recorded_at=MONDAY + DAY / 8)

    with django_assert_num_queries(4):  # the savepoint of the test around it
        assert services.queue_missed_you() == how_many
    emails = list(Email.objects.select_related("recipient"))
    with django_assert_num_queries(7):
        kinds.get("missed").prepare(emails)


def test_two_ticks_at_once_write_once(house_rules, transactional_db):
    with time_machine.travel(MORNING):
        group = make.group()
        people = make.members(30)
        meetings = [
            make.meeting(group, starts_at=MONDAY - weeks * WEEK, status="held", capacity=99) for weeks in (1, 0)
        ]
        for one in people:
            make.membership(group, one)
            give_consent(one, Consent.Kind.MISSED_YOU)
            for meeting in meetings:
                make.participation(meeting, one, attendance="absent", recorded_at=MONDAY + DAY / 8)

        assert sum(at_once(4, services.queue_missed_you)) == 30
    assert Email.objects.count() == 30
