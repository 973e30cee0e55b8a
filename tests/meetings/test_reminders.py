"""Who is reminded of what, and when: by start time, on the clock of the group's own wall (EML-06, EML-07)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from benchmarks import town
from groups.models import Membership
from meetings import services
from meetings.models import Meeting
from meetings.services import reminders, too_late
from members.models import Consent
from members.services import give_consent, withdraw_consent
from outbox.models import Email
from tests import make
from tests.outbox.test_claims import at_once

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 30, 12, tzinfo=NEW_YORK)
DAY = timedelta(days=1)
NOW = MONDAY


def reminded():
    return set(Email.objects.filter(kind="reminder").values_list("recipient__display_name", flat=True))


def test_those_with_a_place_and_those_who_have_not_answered_are_reminded_once(willow):
    assert services.queue_due_reminders() == 2
    assert services.queue_due_reminders() == 0
    assert reminded() == {"Mia", "Max"}


def test_key_names_the_person_the_meeting_and_its_start(willow):
    services.queue_due_reminders()

    email = Email.objects.get(recipient=willow.mia)
    start = int(willow.meeting.starts_at.timestamp())
    assert email.key == f"reminder/{willow.meeting.pk}/{willow.mia.pk}/{start}"
    assert email.fact == reminders.reminder_fact(willow.meeting.starts_at)
    assert email.expires_at == willow.meeting.starts_at - settings.REMIND_LATEST


@pytest.mark.parametrize(
    ("hours_ahead", "is_due"),
    [
        (50, False),
        (48.1, False),
        (48, True),
        (36, True),
        (24.1, True),
        (23.9, True),
        (2.1, True),
        (2, False),
        (1, False),
    ],
)
def test_window_reaches_from_two_days_ahead_and_late_ones_are_caught_up_until_two_hours_before(
    willow, hours_ahead, is_due
):
    Meeting.objects.update(starts_at=MONDAY + timedelta(hours=hours_ahead), ends_at=MONDAY + 4 * DAY)

    assert services.queue_due_reminders() == (2 if is_due else 0)


def test_answer_given_since_the_window_closed_needs_no_late_reminder(willow):
    Meeting.objects.update(starts_at=MONDAY + timedelta(hours=20), ends_at=MONDAY + 4 * DAY)
    willow.meeting.participations.update(rsvp_at=MONDAY - timedelta(hours=1))
    Membership.objects.filter(member=willow.max).update(joined_at=MONDAY - timedelta(hours=1))

    assert services.queue_due_reminders() == 0


@pytest.mark.parametrize(("hour", "is_due"), [(8, False), (9, True), (18, True), (19, False), (3, False)])
@pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"])
def test_mail_leaves_by_day_where_the_group_is(willow, clock, zone, hour, is_due):
    now = datetime(2026, 11, 30, hour, 5, tzinfo=ZoneInfo(zone))
    clock.move_to(now)
    Membership.objects.update(joined_at=now - 30 * DAY)
    Meeting.objects.update(starts_at=now + timedelta(hours=30), ends_at=now + timedelta(hours=31), time_zone=zone)

    assert services.queue_due_reminders() == (2 if is_due else 0)


@pytest.mark.parametrize("zone", ["localtime", "Factory", "right/UTC", "../../etc/passwd", "Mars/Olympus", ""])
def test_zone_that_is_none_stops_no_reminders_but_its_own_and_is_logged(willow, caplog, zone):
    """One that a check of ours let through, or somebody wrote into the database."""
    there = make.meeting(make.group(), starts_at=willow.meeting.starts_at)
    make.membership(there.group, willow.vera)
    Membership.objects.update(joined_at=MONDAY - 30 * DAY)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE meetings_meeting SET time_zone = %s WHERE id = %s", [zone, there.pk])

    assert services.count_due_reminders() == 2
    assert services.queue_due_reminders() == 2
    assert reminded() == {"Mia", "Max"}
    assert f"No reminders for meetings in {zone!r}: it is not a time zone." in caplog.text


def _cancelled(cast):
    Meeting.objects.update(status="cancelled")


def _muted(cast):
    Membership.objects.update(is_muted=True)


def _withdrawn(cast):
    for member in (cast.mia, cast.max):
        withdraw_consent(member.pk, Consent.Kind.REMINDERS)


def _unconfirmed(cast):
    for member in (cast.mia, cast.max):
        member.emailaddress_set.update(verified=False)


def _closed(cast):
    for member in (cast.mia, cast.max):
        type(member).objects.filter(pk=member.pk).update(is_active=False)


def _left(cast):
    Membership.objects.update(status="left")


def _removed(cast):
    Membership.objects.update(status="removed")


def _declined(cast):
    for member in (cast.mia, cast.max):
        services.answer_declined(cast.meeting, by=member)


def _waiting(cast):
    cast.meeting.participations.all().delete()
    for member in (cast.mia, cast.max):
        make.participation(cast.meeting, member, "waitlisted")


EVENTS = [_cancelled, _muted, _withdrawn, _unconfirmed, _closed, _left, _removed, _declined, _waiting]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_nobody_is_reminded_who_must_not_be(willow, event):
    event(willow)

    assert services.count_due_reminders() == 0
    assert services.queue_due_reminders() == 0


def test_full_meeting_reminds_only_those_with_a_place(willow):
    Meeting.objects.update(capacity=1)

    services.queue_due_reminders()

    assert reminded() == {"Mia"}


def test_moved_meeting_is_reminded_of_again_at_its_new_time(willow):
    services.queue_due_reminders()
    Meeting.objects.update(starts_at=willow.meeting.starts_at + timedelta(hours=2), ends_at=MONDAY + 4 * DAY)

    assert services.queue_due_reminders() == 2
    assert Email.objects.count() == 4


def test_ticks_missed_for_a_day_lose_nobody(willow, clock):
    """Beat was away from before the window opened until after it closed."""
    clock.move_to(MONDAY + timedelta(hours=22))  # Tuesday, ten in the morning

    assert services.queue_due_reminders() == 2


@pytest.mark.parametrize("clocks_change_on", ["2026-11-01", "2027-03-14"])
def test_every_five_minutes_over_a_change_of_clocks_reminds_each_person_once_and_by_day(cast, clocks_change_on):
    """From three days before to the meeting on the evening of the day the clocks change: one mail, at a decent hour."""
    evening = datetime.fromisoformat(f"{clocks_change_on}T18:30").replace(tzinfo=NEW_YORK)
    Meeting.objects.all().delete()
    Membership.objects.update(joined_at=evening - 30 * DAY)
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    make.meeting(cast.willow, starts_at=evening)
    sent_at = []
    for step in range(0, 60 * 72, 20):
        now = evening - timedelta(days=3) + timedelta(minutes=step)
        with time_machine.travel(now, tick=False):
            sent_at += [timezone.now().astimezone(NEW_YORK)] * services.queue_due_reminders()

    assert len(sent_at) == 1
    assert 9 <= sent_at[0].hour < 19
    assert timedelta(hours=24) <= evening - sent_at[0] <= timedelta(hours=49)


def test_dry_run_counts_what_the_next_tick_would_queue_and_changes_nothing(willow, capsys):
    call_command("send_due_reminders", "--dry-run")
    assert capsys.readouterr().out == "2 due\n"
    assert not Email.objects.exists()

    call_command("send_due_reminders")
    call_command("send_due_reminders")
    call_command("send_due_reminders", "--dry-run")
    assert capsys.readouterr().out == "2 queued\n0 queued\n0 due\n"


@pytest.mark.parametrize("how_many", [3, 300])
def test_tick_is_two_statements_however_many_are_due(willow, django_assert_num_queries, how_many):
    people = make.members(how_many)
    Membership.objects.bulk_create(
        Membership(group=willow.willow, member=one, status="active", joined_at=MONDAY - 30 * DAY) for one in people
    )
    Consent.objects.bulk_create(
        Consent(member=one, kind="reminders", text="yes", text_hash="0", language="en") for one in people
    )
    Meeting.objects.update(capacity=500)

    with django_assert_num_queries(4):  # the savepoint of the test around it
        assert services.queue_due_reminders() == how_many + 2


def test_every_entry_of_the_beat_names_a_task_that_exists():
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert import_string(entry["task"]).name == entry["task"]
        assert entry["options"]["expires"] < entry["schedule"]


# --- One question, however many there are -----------------------------------------------------------------------------


def _tables_read_whole(question, parameters):
    """Which tables PostgreSQL would read from end to end."""

    def nodes(plan):
        yield plan
        for part in plan.get("Plans", []):
            yield from nodes(part)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {question}", parameters)
        ((plans,),) = cursor.fetchall()
        return {node["Relation Name"] for node in nodes(plans[0]["Plan"]) if node["Node Type"] == "Seq Scan"}


def test_what_is_due_among_years_of_answers_is_found_by_index(db):
    """The same plan as with 1 000 000 participations, where it takes 0.4 s for 10 000 due."""
    town.agree_to_reminders(town.with_reminders_due(400))
    assert town.through_the_years(weeks_before=60, weeks_after=12) > 28_000
    growing = {"meetings_meeting", "meetings_participation"}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        parameters = reminders._parameters(cursor, timezone.now())

        assert _tables_read_whole(reminders.QUEUE, parameters) & growing == set()
        assert _tables_read_whole(too_late.NOTE, _look_back()) & growing == set()
        assert services.count_due_reminders() == 400

        for way in ("indexscan", "indexonlyscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        assert growing <= _tables_read_whole(reminders.QUEUE, parameters)


def _look_back():
    hour = timedelta(hours=1)
    return {"now": timezone.now(), "latest": 2 * hour, "look_back": 36 * hour, "wanted_since": 24 * hour}


# --- Two beats --------------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(transactional_db):
    """Two hundred people due a reminder at this very moment, by the clock on the wall of their group."""
    now = timezone.now()
    zone = f"Etc/GMT{now.hour - 13:+d}" if now.hour != 13 else "UTC"
    group = make.group(time_zone=zone, capacity=500)
    people = make.members(200)
    Membership.objects.bulk_create(
        Membership(group=group, member=one, status="active", joined_at=now - 30 * DAY) for one in people
    )
    Consent.objects.bulk_create(
        Consent(member=one, kind="reminders", text="yes", text_hash="0", language="en") for one in people
    )
    make.meeting(group, starts_at=now + timedelta(hours=30))
    return people


def test_many_ticks_at_once_queue_each_reminder_once(crowd):
    queued = at_once(6, services.queue_due_reminders)

    assert sum(queued) == len(crowd)
    assert Email.objects.count() == len(crowd)


def test_without_the_unique_key_many_ticks_double(crowd, monkeypatch):
    """The negative control: what the test above would see if the key were not unique."""
    monkeypatch.setattr(reminders, "QUEUE", reminders.QUEUE.replace("ON CONFLICT (key) DO NOTHING", ""))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE outbox_email DROP CONSTRAINT outbox_email_key_key")
    try:
        at_once(2, services.queue_due_reminders)

        assert Email.objects.count() == 2 * len(crowd)
    finally:
        Email.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE outbox_email ADD CONSTRAINT outbox_email_key_key UNIQUE (key)")
