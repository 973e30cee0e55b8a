"""The weekly reminder by real workers and beats over a real broker and real SMTP: each person gets one mail."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Membership
from meetings import services
from members.models import Consent
from outbox.models import Email
from tests import make

from .processes import Processes, flush_broker, send_task, wait_until

pytestmark = pytest.mark.xdist_group("workers")


@pytest.fixture
def processes(transactional_db, smtp, tmp_path):
    started = Processes(smtp, tmp_path)
    yield started
    started.kill_all()
    flush_broker()


@pytest.fixture
def people(transactional_db):
    """Eighty people of a group that meets tomorrow, with reminders on; where they live it is daytime now."""
    group = make.group(time_zone=zone_where_it_is_noon(), capacity=200)
    people = make.members(80)
    joined_at = timezone.now() - timedelta(days=30)
    Membership.objects.bulk_create(
        Membership(group=group, member=one, status="active", joined_at=joined_at) for one in people
    )
    Consent.objects.bulk_create(
        Consent(member=one, kind="reminders", text="yes", text_hash="0", language="en") for one in people
    )
    make.meeting(group, starts_at=timezone.now() + timedelta(hours=30))
    return people


def zone_where_it_is_noon():
    ahead = 13 - timezone.now().hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def all_sent(people):
    return lambda: Email.objects.filter(state="sent").count() == len(people)


def test_two_beats_two_workers_tasks_delivered_five_times_a_flushed_broker_and_a_server_away(people, smtp, processes):
    smtp.seconds_per_mail = 0.01
    smtp.answer_to_sender = "421 closing for the moment"
    for _each in range(2):
        processes.beat()
        processes.worker()
    for name in ("meetings.tasks.queue_due_reminders", "outbox.tasks.deliver_outbox"):
        send_task(name, times=5)
    wait_until(lambda: smtp.connections >= 2, 30, processes.said)
    assert not Email.objects.filter(attempts__gt=0).exists()

    smtp.answer_to_sender = ""
    wait_until(lambda: smtp.taken, 30, processes.said)
    assert flush_broker() > 0
    wait_until(all_sent(people), 30, processes.said)
    time.sleep(1.5)  # one more tick of both

    assert smtp.people == {person.email: 1 for person in people}
    assert Email.objects.count() == len(people)


def test_workers_killed_again_and_again_lose_nothing_and_repeat_no_more_than_one_mail_a_kill(people, smtp, processes):
    smtp.seconds_per_mail = 0.02
    kills = 2
    services.queue_due_reminders()
    processes.beat()
    for _kill in range(kills):
        before = len(smtp.taken)
        worker = processes.worker(connections=1)
        wait_until(lambda before=before: len(smtp.taken) >= before + 7, 30, processes.said)
        processes.kill(worker)
    assert len(smtp.taken) < len(people)

    processes.worker()
    wait_until(lambda: processes.said().count("ready.") > kills, 30, processes.said)
    wait_until(all_sent(people), 10, processes.said)  # recovered in seconds, not after a visibility timeout

    assert set(smtp.people) == {person.email for person in people}
    assert len(smtp.message_ids) == len(people)
    assert sum(smtp.message_ids.values()) <= len(people) + kills
