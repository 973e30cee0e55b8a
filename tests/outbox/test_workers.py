"""The weekly reminder by real workers and beats over a real broker and real SMTP: each person gets one mail."""

import time

import pytest

from outbox.models import Email

from .processes import flush_broker, send_task, wait_until

pytestmark = pytest.mark.xdist_group("workers")


@pytest.fixture
def people(due):
    return due(80)


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
