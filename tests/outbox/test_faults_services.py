"""PostgreSQL and the broker are restarted, killed, emptied and away while reminders leave and people answer."""

import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Membership
from meetings import services
from tests import make

from . import faults
from .own_services import own_services
from .processes import Processes, wait_until

pytestmark = pytest.mark.xdist_group("workers")

LINES = 2  # of each sender
PLACES = 10
AWAY = 60 if faults.FULL_SIZE else 3  # seconds

# Some ask for a place in one meeting; what stands on the screen they were told, and after how many seconds.
ANSWER = """
import sys, time
import django

django.setup()
from django.db import Error, close_old_connections
from meetings import services
from meetings.models import Meeting
from members.models import Member
from outbox.services import wake_senders

meeting = Meeting.objects.get(pk=sys.argv[1])
members = Member.objects.filter(memberships__group=meeting.group).order_by("pk")
for member in members[int(sys.argv[2]):int(sys.argv[3])]:
    for attempt in range(50):
        close_old_connections()  # as every request does
        began = time.monotonic()
        try:
            answer = services.answer_going(meeting, by=member)
            wake_senders()
            print(member.pk, answer, time.monotonic() - began, flush=True)
            break
        except Error:
            print(member.pk, "failed", 0, flush=True)
            time.sleep(0.3)
    time.sleep(0.04)
"""


@pytest.fixture
def hot_meeting(transactional_db):
    """A meeting of next week with ten places, and many in its group."""
    group = make.group(capacity=PLACES)
    people = make.members(120)
    joined_at = timezone.now() - timedelta(days=30)
    Membership.objects.bulk_create(
        Membership(group=group, member=one, status="active", joined_at=joined_at) for one in people
    )
    return make.meeting(group, starts_at=timezone.now() + timedelta(days=7), capacity=PLACES)


def test_f3_and_f4_postgresql_and_the_broker_die_while_reminders_leave(due, hot_meeting, smtp, tmp_path, fault):
    people = due(faults.size(240))
    smtp.seconds_per_mail = 0.04 if faults.FULL_SIZE else 0.12
    services.queue_due_reminders()
    with own_services() as own:
        site = Processes(smtp, tmp_path)
        site.environment |= own.environment | {"MAIL_LINES": str(LINES)}
        try:
            figures = let_them_die(own, site, smtp, hot_meeting, len(people))
        finally:
            site.kill_all()
        rows = own.ask("SELECT state, count(*) FROM outbox_email GROUP BY state")
        doubts = own.ask("SELECT sum(doubts) FROM outbox_email")[0][0]
    figures |= {"lost": faults.lost(people, smtp), "repeats": faults.repeats(smtp), "in_doubt": doubts}
    fault("F3 F4 PostgreSQL restarted and killed, broker emptied and away", mails=len(people), **figures)
    assert rows == [("sent", len(people))]
    assert figures["lost"] == 0
    # Three senders, cut three times: twice by PostgreSQL, once with the worker.
    assert figures["repeats"] <= min(doubts, 3 * 3 * LINES)
    assert (figures["answers_lost"], figures["going"]) == (0, PLACES)
    assert figures["recovered_after_restart"] <= 15
    assert figures["recovered_after_kill"] <= 15
    assert figures["waiting_as_the_broker_was_emptied"] > 0
    assert figures["sent_without_beat_once_the_broker_was_emptied"] == 0
    assert figures["recovered_after_broker_was_emptied"] <= 15
    assert figures["answers_while_the_broker_was_away"] == 30
    assert figures["slowest_of_them"] <= 5
    assert figures["recovered_after_broker_was_away"] <= 40  # it is asked after 2, 4, 6, … and at last every 30 seconds
    assert figures["claimed_for_good_without_the_guard"] > 0


def let_them_die(own, site, smtp, meeting, how_many):
    def waiting():
        return own.ask("SELECT count(*) FROM outbox_email WHERE state IN ('queued', 'claimed')")[0][0]

    def wait_for(share):
        wait_until(lambda: len(smtp.taken) >= share * how_many, 300, site.said)

    def goes_on():
        so_far = len(smtp.taken)
        return faults.seconds_until(lambda: len(smtp.taken) > so_far or not waiting(), 40, site.said)

    found = {}
    beat = site.beat()
    worker = site.worker()
    wait_for(0.05)
    answering = start_answering(site, meeting, 0, 90)
    first = answering.stdout.readline()
    wait_for(0.2)
    own.stop_postgres()
    own.start_postgres()
    found["recovered_after_restart"] = goes_on()
    wait_for(0.4)
    own.stop_postgres(at_once=True)
    own.start_postgres()
    found["recovered_after_kill"] = goes_on()
    wait_for(0.5)
    site.kill(beat)
    site.kill(worker)
    found["waiting_as_the_broker_was_emptied"] = waiting()
    own.stop_broker()
    own.start_broker()
    site.worker()
    wait_until(lambda: site.said().count("ready.") > 1, 60, site.said)
    so_far = len(smtp.taken)
    time.sleep(2)
    found["sent_without_beat_once_the_broker_was_emptied"] = len(smtp.taken) - so_far
    site.beat()
    found["recovered_after_broker_was_emptied"] = goes_on()
    wait_for(0.6)
    own.stop_broker()
    away_since = time.monotonic()
    meanwhile = start_answering(site, meeting, 90, 120).communicate(timeout=60)[0]
    answer_seconds = [float(line.split()[2]) for line in meanwhile.splitlines()]
    found |= {
        "answers_while_the_broker_was_away": len(answer_seconds),
        "slowest_of_them": round(max(answer_seconds), 2),
    }
    time.sleep(max(away_since + AWAY - time.monotonic(), 0))
    found["broker_away_for"] = round(time.monotonic() - away_since)
    tasks = site.said().count("received")
    own.start_broker()
    found["recovered_after_broker_was_away"] = faults.seconds_until(
        lambda: site.said().count("received") > tasks, 60, site.said
    )
    wait_until(lambda: not waiting(), 300, site.said)
    said = [line.split() for line in (first + answering.communicate(timeout=120)[0] + meanwhile).splitlines()]
    found |= answers_kept(own, meeting, said)

    taken = list(smtp.taken)
    found["claimed_for_good_without_the_guard"] = without_the_guard(own, site, smtp)
    own.ask("UPDATE outbox_email SET state = 'sent', claimed_by = NULL, sent_at = now() WHERE state <> 'sent'")
    smtp.taken[:] = taken
    return found


def start_answering(site, meeting, begin, end):
    words = [sys.executable, "-c", ANSWER, str(meeting.pk), str(begin), str(end)]
    return subprocess.Popen(words, env=site.environment, stdout=subprocess.PIPE, text=True)


def answers_kept(own, meeting, said):
    """Whoever was told that they have a place, or wait for one, does."""
    rows = own.ask(f"SELECT member_id::text, rsvp FROM meetings_participation WHERE meeting_id = '{meeting.pk}'")
    told = {(member, answer) for member, answer, _seconds in said if answer in ("going", "waitlisted")}
    return {
        "answers": len(told),
        "answers_lost": len(told - set(rows)),
        "answers_that_had_to_be_sent_again": sum(answer == "failed" for _member, answer, _seconds in said),
        "going": sum(rsvp == "going" for _member, rsvp in rows),
    }


def without_the_guard(own, site, smtp):
    """The negative control: PostgreSQL restarts, and nobody takes over what its senders had claimed."""
    site.kill_all()
    some = "SELECT id FROM outbox_email LIMIT 60"
    own.ask(f"UPDATE outbox_email SET state = 'queued', send_after = now() WHERE id IN ({some})")
    smtp.seconds_per_mail = 0.05
    so_far = len(smtp.taken)
    site.worker_without("release")
    site.beat()
    wait_until(lambda: len(smtp.taken) > so_far + 5, 300, site.said)  # after all ticks that are still in the queue
    own.stop_postgres()
    own.start_postgres()
    time.sleep(4)
    return own.ask("SELECT count(*) FROM outbox_email WHERE state = 'claimed'")[0][0]
