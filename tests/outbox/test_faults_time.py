"""Clocks that jump, ticks that are missed, programs of two ages on one database, and the same answer twice."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from groups.models import Membership
from meetings import services
from meetings.access import answer_token
from meetings.models import Meeting, Participation
from members.models import Consent
from outbox import models
from outbox import services as outbox
from outbox.models import Email
from tests import make

from . import faults
from .test_claims import at_once

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG = 600  # seconds: time enough for the full size


@pytest.fixture
def with_places(due):
    """The same people, each with a place since long ago."""

    def with_places(how_many, **meeting):
        people = due(how_many, **meeting)
        Participation.objects.bulk_create(
            Participation(meeting=Meeting.objects.get(), member=one, rsvp="going", rsvp_at=timezone.now() - 9 * DAY)
            for one in people
        )
        return people

    return with_places


# --- F6: beat was away ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("away", "still_helps"), [(HOUR, True), (DAY, True), (29 * HOUR, False), (40 * HOUR, False)])
def test_f6_after_an_outage_what_helps_is_sent_and_the_rest_is_marked_too_late(
    with_places, smtp, fault, away, still_helps
):
    """Thirty hours before the meeting nothing runs any more; then everything does again."""
    people = with_places(faults.size(4), starts_at=timezone.now() + 30 * HOUR - away)

    for _tick in range(3):
        services.queue_due_reminders()
        services.note_missed_reminders()
        outbox.deliver(seconds=LONG)

    found = set(Email.objects.values_list("state", "reason"))
    fault(
        f"F6 away for {away}",
        mails=len(people),
        sent=len(smtp.taken),
        marked_too_late=Email.objects.filter(state="expired").count(),
    )
    assert Email.objects.count() == len(people)
    assert found == {("sent", "")} if still_helps else {("expired", "too late: not planned in time")}
    assert len(smtp.taken) == (len(people) if still_helps else 0)


def test_f6_mail_queued_before_an_outage_and_too_late_after_it_is_marked(with_places, smtp, fault):
    people = with_places(faults.size(4))
    services.queue_due_reminders()
    Email.objects.update(expires_at=timezone.now() - HOUR)  # a day went by

    outbox.deliver(seconds=LONG)

    fault("F6 queued before an outage of a day", marked_too_late=Email.objects.filter(reason="too late").count())
    assert Email.objects.filter(state="expired", reason="too late").count() == len(people)
    assert smtp.taken == []


def test_those_who_wanted_no_reminder_or_had_one_were_not_missed(with_places, smtp):
    told, muted, new, late, free = with_places(5)
    services.queue_due_reminders()
    outbox.deliver()
    Email.objects.exclude(recipient=told).delete()
    Meeting.objects.update(starts_at=timezone.now() + HOUR, ends_at=timezone.now() + 2 * HOUR)
    Membership.objects.filter(member=muted).update(is_muted=True)
    Consent.objects.filter(member=new).update(given_at=timezone.now() - HOUR)
    Participation.objects.filter(member=late).update(rsvp_at=timezone.now() - HOUR)
    Participation.objects.filter(member=free).update(rsvp="declined")

    assert services.note_missed_reminders() == 0


# --- F8: clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-HOUR, DAY, 40 * DAY], ids=["an hour back", "a day ahead", "forty days ahead"])
def test_f8_worker_whose_clock_jumps_neither_loses_nor_doubles(with_places, smtp, settings, fault, jump):
    """Its own clock is not asked what is too late or when to try again: PostgreSQL's is."""
    settings.REMIND_HOURS = (0, 24)
    people = with_places(faults.size(6))
    services.queue_due_reminders()
    smtp.answers_once = {people[0].email: "450 busy"}

    with time_machine.travel(timezone.now() + jump):
        services.queue_due_reminders()
        services.note_missed_reminders()
        outbox.deliver(seconds=LONG)
        waits = Email.objects.get(recipient=people[0]).send_after
    services.queue_due_reminders()
    services.note_missed_reminders()
    assert timedelta() < waits - timezone.now() < 2 * timedelta(minutes=1)
    Email.objects.filter(state="queued").update(send_after=timezone.now())
    outbox.deliver(seconds=LONG)

    figures = {"mails": len(people), "lost": faults.lost(people, smtp), "double_rows": faults.double_rows(people)}
    fault(f"F8 a worker's clock is {jump} off", **figures, repeats=faults.repeats(smtp))
    assert smtp.people == {person.email: 1 for person in people}
    assert figures["double_rows"] == 0


def test_f8_by_the_clock_of_the_worker_everything_would_be_too_late(with_places, smtp, settings, monkeypatch, fault):
    settings.REMIND_HOURS = (0, 24)
    people = with_places(faults.size(6))
    services.queue_due_reminders()
    claim = models.EmailQuerySet.claim

    def by_own_clock(emails, sender, limit):
        batch = claim(emails, sender, limit)
        for email in batch:
            email.is_too_late = email.expires_at <= timezone.now()
        return batch

    monkeypatch.setattr(models.EmailQuerySet, "claim", by_own_clock)
    with time_machine.travel(timezone.now() + 40 * DAY):
        outbox.deliver(seconds=LONG)

    fault("F8 by the worker's own clock, 40 days ahead", lost=faults.lost(people, smtp))
    assert faults.lost(people, smtp) == len(people)


# --- F11: the same answer twice --------------------------------------------------------------------------------------


def test_f11_same_answer_five_times_at_once_is_one_answer(with_places, fault):
    """From a mail: a tap that was sent again, a way back, an answer that got lost."""
    people = with_places(1)
    meeting = Meeting.objects.get()
    page = f"/m/{answer_token(meeting.pk, people[0].pk)}/"

    said = at_once(5, lambda: Client().post(page, {"answer": "declined"}).status_code)
    said += [Client().post(page, {"answer": "declined"}).status_code]

    rows = list(Participation.objects.values_list("rsvp", flat=True))
    fault("F11 the same answer six times", rows=len(rows), different_answers=len(set(said)))
    assert rows == ["declined"]
    assert len(set(said)) == 1
    assert said[0] in (200, 302)
    meeting.refresh_from_db()
    assert meeting.places_taken == 0


def test_f11_without_one_row_for_each_pair_an_answer_could_stand_twice(with_places, fault):
    people = with_places(1)
    again = Participation(meeting=Meeting.objects.get(), member=people[0], rsvp="going", rsvp_at=timezone.now())

    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE meetings_participation DROP CONSTRAINT participation_once")
    try:
        again.save(force_insert=True)
        fault("F11 without the constraint", rows=Participation.objects.count())
        assert Participation.objects.count() == 2
    finally:
        Participation.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE meetings_participation ADD CONSTRAINT participation_once UNIQUE (meeting_id, member_id)"
            )


# --- F12: while the database is migrated ------------------------------------------------------------------------------

# As the first version wrote it: a web process of then may still run beside a worker of now.
OLD_ROW = """
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at)
SELECT concat('note/', id), 'note', id, id, '1', now() + interval '1 hour' FROM members_member
"""


def test_f12_rows_of_the_version_before_are_sent_and_a_column_is_added_meanwhile(
    transactional_db, smtp, note, states, fault
):
    people = make.members(faults.size(60))
    smtp.seconds_per_mail = 0 if faults.FULL_SIZE else 0.01
    with connection.cursor() as cursor:
        cursor.execute(OLD_ROW)

    def migrate():
        faults.seconds_until(lambda: smtp.taken, 20)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE outbox_email ADD COLUMN tomorrow varchar(20) NOT NULL DEFAULT 'x'")
        return 0

    both = iter([lambda: outbox.deliver(seconds=LONG), migrate])
    try:
        said = at_once(2, lambda: next(both)())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE outbox_email DROP COLUMN IF EXISTS tomorrow")

    assert sorted(said) == [0, len(people)]
    failed = Email.objects.exclude(state="sent").count()
    fault("F12 migrated while it sends", mails=len(people), not_sent=failed, repeats=faults.repeats(smtp))
    assert smtp.people == {person.email: 1 for person in people}
    assert failed == 0


def test_f12_column_without_a_default_of_the_database_stops_the_version_before(transactional_db, note, fault):
    make.members(1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE outbox_email ADD COLUMN tomorrow varchar(20) NOT NULL")
        try:
            with pytest.raises(IntegrityError):
                cursor.execute(OLD_ROW)
        finally:
            cursor.execute("ALTER TABLE outbox_email DROP COLUMN tomorrow")
    fault("F12 with a column that has no default", mails=1, queued=Email.objects.count())
