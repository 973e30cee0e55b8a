"""One mail a week in place of single reminders: what it has told needs none, what is new since still has its own."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from groups.models import Membership
from meetings import services, tasks
from meetings.models import Meeting
from members.models import Consent, Member, ReminderSettings
from members.services import give_consent
from outbox import kinds
from outbox.kinds import Later
from outbox.models import Email
from tests import make
from tests.outbox.test_claims import at_once
from tests.outbox.test_unsubscribe import address_of

from . import stops
from .mail_clock import deliver_travelling
from .stops import press_unsubscribe

NEW_YORK = ZoneInfo("America/New_York")
SUNDAY = datetime(2026, 11, 15, 10, tzinfo=NEW_YORK)
DAY = timedelta(days=1)
NOW = SUNDAY - 3 * DAY


@pytest.fixture
def week(cast, clock):
    """Mia is in Willow (Tuesdays) and Cedar (Fridays, in Los Angeles) and wants one mail on Sundays."""
    Meeting.objects.all().delete()
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    cast.wish = ReminderSettings.objects.create(member=cast.mia, lead="weekly", week_day=6)
    type(cast.cedar).objects.filter(pk=cast.cedar.pk).update(time_zone="America/Los_Angeles")
    cast.cedar.refresh_from_db()
    make.membership(cast.cedar, cast.mia)
    cast.tuesday = make.meeting(cast.willow, starts_at=(SUNDAY + 2 * DAY).replace(hour=18, minute=30))
    cast.friday = make.meeting(cast.cedar, starts_at=(SUNDAY + 5 * DAY).replace(hour=20))
    make.participation(cast.tuesday, cast.mia)
    clock.move_to(SUNDAY)
    return cast


def tick():
    """What beat asks for: how many mails of the week, and how many reminders."""
    return services.queue_week_mails(), services.queue_due_reminders()


def every_hours(clock, days, hours=2):
    """Beat and sender over some days. Returns the day and the kind of each mail, by the clock in New York."""
    sent = []
    start = timezone.now()
    for step in range(0, days * 24, hours):
        clock.move_to(start + timedelta(hours=step))
        weekly, single = tick()
        sent += [
            (timezone.now().astimezone(NEW_YORK).date(), kind) for kind in ["week"] * weekly + ["reminder"] * single
        ]
        Email.objects.filter(state="queued").update(state="sent", sent_at=timezone.now())
    return sent


def test_mail_of_the_week_once_and_nothing_single_for_what_it_told(week, clock):
    assert tick() == (1, 0)
    assert tick() == (0, 0)
    Email.objects.update(state="sent", sent_at=timezone.now())
    assert every_hours(clock, 6) == []


def test_mail_tells_times_only_with_a_way_to_answer_for_each(week, clock, smtp):
    tick()
    deliver_travelling()

    mail = smtp.mail_to(week.mia.email)
    text = mail.get_body(["plain"]).get_content().replace("\r\n", "\n")
    html = mail.get_body(["html"]).get_content()
    assert mail["Subject"] == "Your week"
    assert text.splitlines()[0] == "The next meeting in your week is on Tuesday, November 17, 6:30 pm (EST)."
    assert "Tuesday, November 17, 6:30 pm (EST)\nYou have a place:\nhttp://" in text
    assert "Friday, November 20, 5:00 pm (PST)\nYou have not answered yet:\nhttp://" in text
    assert text.count("/m/") == html.count("/m/") == 2
    assert [word for word in ("Willow", "Cedar", "Hidden Lane", "group") if word in text + html] == []
    assert "/u/" in mail["List-Unsubscribe"]


@pytest.mark.parametrize(
    ("when", "is_due"),
    [
        (timedelta(days=-1), False),
        (timedelta(hours=-2), False),  # 8:00
        (timedelta(hours=-1), True),
        (timedelta(hours=8, minutes=59), True),
        (timedelta(hours=9), False),  # 19:00
        (timedelta(days=1), True),  # the site was away all Sunday
        (timedelta(days=2), False),
    ],
)
def test_leaves_by_day_on_its_day_and_is_caught_up_the_day_after(week, clock, when, is_due):
    clock.move_to(SUNDAY + when)

    assert services.queue_week_mails() == (1 if is_due else 0)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("Asia/Kolkata", [9]), ("America/Los_Angeles", [9]), ("Pacific/Auckland", [9]), ("", [9])],
)
def test_morning_is_that_of_the_member_or_of_where_they_meet_first(week, clock, zone, hours):
    Member.objects.filter(pk=week.mia.pk).update(time_zone=zone)
    there = ZoneInfo(zone or "America/New_York")
    start, seen = SUNDAY - DAY, []
    for step in range(60):
        clock.move_to(start + timedelta(hours=step))
        seen += [timezone.now().astimezone(there)] * services.queue_week_mails()

    assert [(moment.hour, moment.date()) for moment in seen] == [(hour, SUNDAY.date()) for hour in hours]


@pytest.mark.parametrize("week_day", [3, 6])
@pytest.mark.parametrize("clocks_change_on", ["2026-11-01", "2027-03-14"])
def test_over_a_change_of_clocks_each_week_has_one_mail_and_every_meeting_is_in_it(
    week, clock, week_day, clocks_change_on
):
    """Whichever day they choose: for three weeks with a meeting each day, nothing single and each week's mail once."""
    Meeting.objects.all().delete()
    first = datetime.fromisoformat(f"{clocks_change_on}T18:30").replace(tzinfo=NEW_YORK) - 9 * DAY
    clock.move_to(first - 10 * DAY)
    ReminderSettings.objects.update(week_day=week_day)
    Membership.objects.update(joined_at=first - 30 * DAY)
    for number in range(21):
        make.meeting(week.willow, starts_at=(first + number * DAY).replace(hour=18, minute=30))
    clock.move_to(first - 9 * DAY)

    sent = every_hours(clock, 28, hours=8)

    assert {kind for _day, kind in sent} == {"week"}
    days = [day for day, _kind in sent]
    assert {day.weekday() for day in days} == {week_day}
    assert [later - earlier for earlier, later in pairwise(days)] == [7 * DAY] * (len(days) - 1)
    told = {day + timedelta(days=n) for day in days for n in range(1, 8)}
    assert set(Meeting.objects.values_list("local_date", flat=True)) <= told


def _moved(cast):
    starts_at = cast.tuesday.starts_at + timedelta(hours=1)
    Meeting.objects.filter(pk=cast.tuesday.pk).update(starts_at=starts_at, changed_at=timezone.now())


def _answered(cast):
    cast.tuesday.participations.update(rsvp_at=timezone.now())


def _joined(cast):
    Membership.objects.filter(member=cast.mia).update(joined_at=timezone.now())


@pytest.mark.parametrize("event", [_moved, _answered, _joined], ids=lambda event: event.__name__.strip("_"))
def test_what_is_new_since_the_mail_has_a_reminder_of_its_own(week, clock, event):
    tick()
    Email.objects.update(state="sent", sent_at=timezone.now())
    clock.move_to(SUNDAY + timedelta(hours=2))
    event(week)
    clock.move_to(SUNDAY + timedelta(hours=24))

    assert services.queue_due_reminders() == 1
    assert Email.objects.get(kind="reminder").about_id == week.tuesday.pk


@pytest.mark.parametrize("state", ["expired", "failed", "suppressed"])
def test_mail_that_did_not_leave_tells_nothing_so_reminders_do(week, clock, state):
    tick()
    Email.objects.update(state=state)
    assert services.queue_due_reminders() == 0  # it may still come

    clock.move_to(SUNDAY + DAY)
    assert services.queue_due_reminders() == 1


def test_no_reminder_goes_ahead_of_the_mail_that_will_tell(week, clock):
    """Monday's meeting is within two days from Saturday on; Sunday's mail tells of it."""
    make.participation(make.meeting(week.willow, starts_at=SUNDAY + timedelta(hours=26)), week.mia)
    clock.move_to(SUNDAY - timedelta(hours=17))

    assert tick() == (0, 0)


def _one_click(cast):
    link = address_of(Email(recipient=cast.mia, kind="week", about_id=cast.mia.pk))
    assert 'value="there"' not in Client().get(link).content.decode()
    press_unsubscribe(cast, "week", cast.mia.pk)


def _single(cast):
    ReminderSettings.objects.update(lead="days")


def _paused(cast):
    ReminderSettings.objects.update(paused_until=SUNDAY.date() + DAY)


def _declined(cast):
    for meeting in (cast.tuesday, cast.friday):
        meeting.participations.all().delete()
        make.participation(meeting, cast.mia, "declined")


EVENTS = [
    stops.no_consent,
    _one_click,
    stops.left,
    stops.muted,
    _single,
    _paused,
    stops.unconfirmed,
    stops.closed,
    stops.called_off,
    _declined,
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_nobody_gets_it_who_must_not(week, event):
    event(week)

    assert services.queue_week_mails() == 0


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_what_happens_between_planning_and_sending_still_counts(week, smtp, event):
    tick()
    event(week)

    assert [state for _kind, state, _reason in deliver_travelling()] == ["suppressed"]
    assert smtp.taken == []


def test_meetings_of_a_group_they_left_or_muted_since_are_not_in_it(week, smtp):
    tick()
    Membership.objects.filter(member=week.mia, group=week.cedar).update(is_muted=True)

    deliver_travelling()

    assert smtp.mail_to(week.mia.email).get_body(["plain"]).get_content().count("/m/") == 1


def test_quiet_hours_put_it_off_and_late_is_too_late(week, clock, smtp):
    tick()
    ReminderSettings.objects.update(quiet_from=9, quiet_until=14)

    [email] = Email.objects.select_related("recipient")
    assert kinds.get("week").prepare([email]) == {email.pk: Later(SUNDAY.replace(hour=14))}
    clock.move_to(SUNDAY + DAY)
    assert deliver_travelling() == [("week", "expired", "too late")]
    assert smtp.taken == []


def test_site_that_does_without_reminds_of_each_meeting_again(week, clock, settings, sign_in):
    settings.MAILS_OFF = ["week"]
    clock.move_to(SUNDAY + DAY)

    assert tick() == (0, 1)
    page = sign_in(week.mia).get(reverse("meetings:reminders"))
    assert page.context["form"].initial["lead"] == "days"
    assert ("weekly" in page.content.decode(), "week_day" in page.content.decode()) == (False, False)


def test_chosen_on_the_page_with_its_day(cast, sign_in):
    client = sign_in(cast.mia)
    address = reverse("meetings:reminders")

    client.post(address, {"wanted": "on", "lead": "weekly", "week_day": "2", "wording": "neutral"})
    page = client.get(address)

    wish = ReminderSettings.objects.get(member=cast.mia)
    assert (wish.lead, wish.week_day) == ("weekly", 2)
    assert page.context["form"].initial["week_day"] == 2
    assert "The next meeting in your week is on" in page.content.decode()
    assert client.post(address, {"lead": "weekly", "week_day": "7", "wording": "neutral"}).status_code == 400


def test_beat_asks_for_it_before_it_asks_for_reminders(week, clock):
    """On Monday, after a Sunday without beat: Tuesday's meeting is in the mail, and not in a reminder beside it."""
    clock.move_to(SUNDAY + DAY)

    tasks.queue_due_reminders()

    assert Email.objects.get().kind == "week"


def test_when_it_cannot_be_planned_reminders_still_are(week, clock):
    """A database that refuses this kind: whoever would have had it is reminded of Tuesday as everybody is."""
    clock.move_to(SUNDAY + DAY)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE outbox_email ADD CONSTRAINT no_week CHECK (kind <> 'week')")

    with pytest.raises(IntegrityError, match="no_week"):
        tasks.queue_due_reminders()

    assert Email.objects.get().kind == "reminder"


@pytest.mark.parametrize("how_many", [3, 60])
def test_cost_of_planning_and_writing_is_the_same_for_few_and_many(week, django_assert_num_queries, how_many):
    people = make.members(how_many - 1)
    Membership.objects.bulk_create(
        Membership(group=week.willow, member=one, status="active", joined_at=SUNDAY - 30 * DAY) for one in people
    )
    Consent.objects.bulk_create(
        Consent(member=one, kind="reminders", text="yes", text_hash="0", language="en") for one in people
    )
    ReminderSettings.objects.bulk_create(ReminderSettings(member=one, lead="weekly") for one in people)
    Meeting.objects.update(capacity=500)

    with django_assert_num_queries(4):  # the savepoint of the test around it
        assert services.queue_week_mails() == how_many
    emails = list(Email.objects.select_related("recipient"))
    with django_assert_num_queries(7):
        kinds.get("week").prepare(emails)


def test_two_ticks_at_once_queue_it_once(house_rules, transactional_db):
    with time_machine.travel(SUNDAY):
        group = make.group()
        people = make.members(40)
        for one in people:
            make.membership(group, one)
            give_consent(one, Consent.Kind.REMINDERS)
            ReminderSettings.objects.create(member=one, lead="weekly")
        make.meeting(group, starts_at=SUNDAY + 2 * DAY, capacity=100)

        assert sum(at_once(4, services.queue_week_mails)) == 40
    assert Email.objects.count() == 40


# --- Both: days before, and on the day --------------------------------------------------------------------------------


def test_both_means_days_before_and_on_the_day(week, clock):
    ReminderSettings.objects.update(lead="both")
    clock.move_to(SUNDAY - timedelta(hours=1))

    assert every_hours(clock, 4) == [(date(2026, 11, day), "reminder") for day in (16, 17, 18)]
    assert Email.objects.filter(about_id=week.tuesday.pk, key__endswith="/day").count() == 1


def test_both_after_an_outage_until_the_day_itself_is_one(week, clock):
    ReminderSettings.objects.update(lead="both")
    clock.move_to((SUNDAY + 2 * DAY).replace(hour=11))

    assert [services.queue_due_reminders(), services.queue_due_reminders()] == [1, 0]


def test_second_of_both_is_dropped_when_they_cannot_come(week, clock, smtp):
    ReminderSettings.objects.update(lead="both")
    clock.move_to((SUNDAY + 2 * DAY).replace(hour=11))
    services.queue_due_reminders()
    week.tuesday.participations.update(rsvp="declined")

    deliver_travelling()

    assert smtp.taken == []
