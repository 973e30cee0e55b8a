"""The disk of PostgreSQL, or of the broker, is full while reminders are due: nothing is lost, no worker gives up."""

import os
import subprocess
import sys
import time

import pytest

from meetings import services

from . import faults
from .own_services import may_mount, own_services
from .processes import Processes, wait_until

pytestmark = [
    pytest.mark.xdist_group("workers"),
    pytest.mark.skipif(not os.environ.get("CI") and not may_mount(), reason="Only root can mount a disk and fill it."),
]

FULL_FOR = 4  # seconds
LINES = 2 if faults.FULL_SIZE else 1  # few mails are claimed by one sender at once

LATER_FOR_HALF = """
UPDATE outbox_email SET send_after = now() + interval '30 minutes'
WHERE id IN (SELECT id FROM outbox_email ORDER BY id LIMIT (SELECT count(*) / 2 FROM outbox_email))
"""

# As whoever answers a request does once the change is kept.
WAKE = """
import django

django.setup()
from outbox.services import wake_senders

wake_senders()
"""


class Stage:
    """PostgreSQL, a broker, a worker, and people who are due a reminder."""

    def __init__(self, own, site, smtp, people):
        self.own, self.site, self.smtp, self.people = own, site, smtp, people

    def start(self, *, without=""):
        """Until a good part has left at the usual rate."""
        if without:
            self.site.worker_without(without)
        else:
            self.site.worker(connections=LINES)
        self.site.beat()
        wait_until(lambda: len(self.smtp.taken) >= 0.3 * len(self.people), 600, self.site.said)

    def rows(self, condition="true"):
        return self.own.ask(f"SELECT count(*) FROM outbox_email WHERE {condition}")[0][0]

    def gave_up(self):
        return sum(process.poll() is not None for process in self.site.running)

    def goes_on(self):
        """Until all have left: what was lost, what repeated, and how fast it went."""
        usual, before = faults.mails_a_second(self.smtp.taken), len(self.smtp.taken)
        recovered = faults.seconds_until(lambda: len(self.smtp.taken) > before, 60, self.site.said)
        wait_until(lambda: self.rows("state = 'sent'") == len(self.people), 900, self.site.said)
        repeats = faults.repeats(self.smtp)
        return {
            "mails": len(self.people),
            "left_when_there_was_room": len(self.people) - before,
            "lost": faults.lost(self.people, self.smtp),
            "double_rows": self.rows() - len(self.people),
            "repeats": repeats,
            "repeats_not_shown": max(repeats - self.own.ask("SELECT sum(doubts) FROM outbox_email")[0][0], 0),
            "gave_up": self.gave_up(),
            "recovered": recovered,
            "rate_of_the_backlog": round(faults.mails_a_second(self.smtp.taken[before:]) / usual, 2),
        }


@pytest.fixture
def stage(due, smtp, tmp_path):
    people = due(faults.size(60))
    smtp.seconds_per_mail = 0.004 if faults.FULL_SIZE else 0.08
    services.queue_due_reminders()
    with own_services() as own:
        site = Processes(smtp, tmp_path)
        site.environment |= own.environment | {"MAIL_LINES": "1"}  # so that a rate is one of a line
        try:
            yield Stage(own, site, smtp, people)
        finally:
            site.kill_all()


def fill_postgres_meanwhile(stage):
    """In the middle of a batch."""
    stage.own.fill_disk_of_postgres()
    time.sleep(FULL_FOR)
    stage.own.make_room_for_postgres()


def test_f13_full_disk_of_postgresql_loses_nothing_and_workers_wait(stage, fault):
    stage.own.give_postgres_a_disk(megabytes=60 + len(stage.people) // 40)
    stage.start()

    fill_postgres_meanwhile(stage)

    figures = stage.goes_on() | {"crashes": stage.own.crashes_of_postgres()}
    fault("F13 disk of PostgreSQL full", **figures)
    assert (figures["lost"], figures["double_rows"], figures["repeats_not_shown"], figures["gave_up"]) == (0, 0, 0, 0)
    assert figures["repeats"] <= LINES * figures["crashes"]  # it starts by itself, and crashes at the next mark
    assert figures["left_when_there_was_room"] > 0.4 * figures["mails"]
    assert figures["recovered"] <= 15
    assert figures["rate_of_the_backlog"] >= 0.8


def test_f13_full_disk_of_postgresql_loses_mail_if_nobody_takes_over_claims(stage, fault):
    stage.own.give_postgres_a_disk(megabytes=60 + len(stage.people) // 40)
    stage.start(without="release")

    fill_postgres_meanwhile(stage)

    wait_until(lambda: not stage.rows("state = 'queued'"), 300, stage.site.said)
    time.sleep(3)  # some ticks
    never_sent = stage.rows("state <> 'sent'")
    fault("F13 disk of PostgreSQL full, claims not taken over", mails=len(stage.people), never_sent=never_sent)
    assert never_sent > 0


def fill_the_broker_meanwhile(stage):
    """Half of the mails are due only while it is full: nobody can be woken for them."""
    stage.own.fill_disk_of_the_broker()
    wait_until(lambda: "MISCONF" in stage.own.broker_says(), 30, stage.site.said)
    wait_until(lambda: not stage.rows("state <> 'sent' AND send_after <= now()"), 120, stage.site.said)
    stage.own.ask("UPDATE outbox_email SET send_after = now() WHERE state = 'queued'")
    time.sleep(FULL_FOR)


def test_f13_full_disk_of_the_broker_loses_nothing_and_workers_wait(stage, fault):
    stage.own.give_the_broker_a_disk(megabytes=2)
    stage.own.ask(LATER_FOR_HALF)
    stage.start()

    fill_the_broker_meanwhile(stage)
    subprocess.run([sys.executable, "-c", WAKE], env=stage.site.environment, check=True, timeout=30)  # no request fails
    stage.own.make_room_for_the_broker()

    figures = stage.goes_on()
    fault("F13 disk of the broker full", **figures)
    assert (figures["lost"], figures["double_rows"], figures["repeats"], figures["gave_up"]) == (0, 0, 0, 0)
    assert figures["left_when_there_was_room"] > 0.4 * figures["mails"]
    assert figures["recovered"] <= 30  # it is asked after 2, 4, 6, … and at last every 30 seconds
    assert figures["rate_of_the_backlog"] >= 0.8


def test_f13_full_disk_of_the_broker_ends_a_worker_that_does_not_wait(stage, fault):
    stage.own.give_the_broker_a_disk(megabytes=2)
    stage.own.ask(LATER_FOR_HALF)
    stage.start(without="patience")

    fill_the_broker_meanwhile(stage)
    stage.own.make_room_for_the_broker()

    time.sleep(3)  # some ticks
    never_sent, gave_up = stage.rows("state <> 'sent'"), stage.gave_up()
    fault("F13 disk of the broker full, without patience", gave_up=gave_up, never_sent=never_sent)
    assert gave_up == 1
    assert never_sent > 0.4 * len(stage.people)
