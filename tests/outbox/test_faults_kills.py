"""Senders that are killed while many reminders leave: nothing is lost, and for each line that dies with them at most
one mail is repeated.
"""

import re
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.db import transaction

from groups.models import Membership
from meetings import services
from meetings.models import Participation
from outbox import services as outbox
from outbox.models import Email, EmailQuerySet

from . import faults
from .processes import send_task, site_environment, wait_until
from .test_claims import at_once

pytestmark = pytest.mark.xdist_group("workers")

# One process forks a sender for each kill: it dies at its third mail, between the answer of the mail server and the
# mark, or, where the mark is made first, between the mark and the mail.
DIE_AGAIN_AND_AGAIN = """
import os, signal, sys
import django

django.setup()
from django.db import connection
from outbox import kinds, services
from outbox.kinds import Kind, Letter
from outbox.models import EmailQuerySet

kills, marks_first = int(sys.argv[1]), sys.argv[2] == "marks first"
kinds.register(Kind("note", lambda emails: {email.pk: Letter("Hello", "Hello", "<p>Hello</p>") for email in emails}))
mark, write, count = EmailQuerySet.mark_sent, services._message, []

def die_at_the_third(mails=1):
    count.extend([1] * mails)
    if len(count) >= 3:
        os.kill(os.getpid(), signal.SIGKILL)

def mark_or_die(emails, ids, sender, **words):
    if not marks_first:
        die_at_the_third(len(ids))
    return mark(emails, ids, sender, **words)

def mark_first(email, letter):
    mark(services.Email.objects, [email.pk], email.claimed_by, period_id=None, variant="")
    die_at_the_third()
    return write(email, letter)

EmailQuerySet.mark_sent = mark_or_die
if marks_first:
    services._message = mark_first
for _kill in range(kills):
    child = os.fork()
    if not child:
        services.deliver()
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it was not killed"
"""


def die_again_and_again(smtp, kills, how="", *, lines=1):
    done = subprocess.run(
        [sys.executable, "-c", DIE_AGAIN_AND_AGAIN, str(kills), how],
        env=site_environment(smtp) | {"MAIL_LINES": str(lines)},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_f1_worker_killed_every_second_while_people_decline_mute_and_leave(due, smtp, processes, settings, fault):
    people = due(faults.size(240))
    smtp.seconds_per_mail = 0.002 if faults.FULL_SIZE else 0.03
    services.queue_due_reminders()
    worker = processes.worker()
    processes.beat()
    wait_until(lambda: smtp.taken, 60, processes.said)
    gone = some_change_their_minds(30)

    kills, last_kill = 0, time.monotonic()
    while not faults.everything_is_done() and kills < (60 if faults.FULL_SIZE else 3):
        if time.monotonic() - last_kill >= 1 and faults.kill_one_child_of(worker.pid):
            kills, last_kill = kills + 1, time.monotonic()
        time.sleep(0.02)
    processes.kill(worker)
    kills += 2
    processes.worker()
    wait_until(lambda: processes.said().count("ready.") > 1, 60, processes.said)
    so_far = len(smtp.taken)
    recovered = faults.seconds_until(
        lambda: len(smtp.taken) > so_far or faults.everything_is_done(), 30, processes.said
    )
    wait_until(faults.everything_is_done, 300, processes.said)

    wanted = [person for person in people if person.email not in gone]
    figures = {
        "mails": len(people),
        "kills": kills,
        "lines_killed": kills * settings.MAIL_LINES,
        "lost": faults.lost(wanted, smtp),
        "double_rows": faults.double_rows(people),
        "repeats": faults.repeats(smtp),
        "repeats_not_shown": faults.repeats_nobody_was_told_of(smtp),
        "to_people_who_had_declined": len(gone & set(smtp.people)),
        "seconds_to_recover": recovered,
    }
    fault("F1 kill -9 every second", **figures)
    assert (figures["lost"], figures["double_rows"], figures["repeats_not_shown"]) == (0, 0, 0)
    assert figures["to_people_who_had_declined"] == 0
    assert figures["repeats"] <= kills * settings.MAIL_LINES
    assert recovered <= 10


def some_change_their_minds(how_many):
    """A third decline, a third mute the group, a third are removed from it, of those whose mail nobody has begun on."""
    with transaction.atomic():
        waiting = Email.objects.filter(state="queued").select_for_update(skip_locked=True, of=["self"])
        chosen = list(waiting.select_related("recipient")[:how_many])
        for number, email in enumerate(chosen):
            member, meeting = email.recipient, email.about_id
            if number % 3 == 0:
                Participation.objects.create(
                    meeting_id=meeting, member=member, rsvp="declined", rsvp_at=email.queued_at
                )
            elif number % 3 == 1:
                Membership.objects.filter(member=member).update(is_muted=True)
            else:
                Membership.objects.filter(member=member).update(status="removed")
    assert chosen
    return {email.recipient.email for email in chosen}


def test_f1_without_taking_over_the_claims_of_the_dead_mail_is_lost(
    transactional_db, smtp, queue_notes, monkeypatch, fault
):
    people = queue_notes(30)
    die_again_and_again(smtp, 1)
    monkeypatch.setattr(EmailQuerySet, "release_claims_of_dead_senders", lambda self: 0)

    at_once(2, outbox.deliver)

    lost = faults.lost(people, smtp)
    fault("F1 without taking over the claims of the dead", mails=len(people), kills=1, lost=lost)
    assert lost > 0


def test_f1_without_asking_again_people_who_declined_get_mail(due, smtp, monkeypatch, fault):
    """The facts of when it was queued, as with a mail that is written then."""
    due(6)
    services.queue_due_reminders()
    answers = outbox._prepare("reminder", Email.objects.claim(0, 100))
    Email.objects.update(state="queued", claimed_by=None)
    gone = some_change_their_minds(3)
    monkeypatch.setattr(outbox, "_prepare", lambda name, emails: answers)

    outbox.deliver()

    fault("F1 without asking again when it leaves", to_people_who_had_declined=len(gone & set(smtp.people)))
    assert gone <= set(smtp.people)


@pytest.mark.parametrize("lines", [1, 4])
def test_f2_killed_between_the_answer_and_the_mark_repeats_one_mail_a_line(
    transactional_db, smtp, queue_notes, settings, fault, lines
):
    settings.MAIL_LINES = lines
    kills = 100 if faults.FULL_SIZE else 12
    people = queue_notes(100 + 3 * kills)
    die_again_and_again(smtp, kills, lines=lines)

    faults.seconds_until(lambda: outbox.deliver() == 0 and faults.everything_is_done(), 30)

    repeats, lost = faults.repeats(smtp), faults.lost(people, smtp)
    hidden = faults.repeats_nobody_was_told_of(smtp)
    figures = {"kills": kills, "lines": lines, "lost": lost, "repeats": repeats, "repeats_not_shown": hidden}
    fault("F2 kill -9 between answer and mark", **figures)
    assert (lost, hidden) == (0, 0)
    assert kills <= repeats <= kills * lines
    assert len(smtp.message_ids) == len(people)
    assert set(Email.objects.values_list("state", flat=True)) == {"sent"}


def test_f2_with_the_mark_before_the_mail_each_kill_loses_one(transactional_db, smtp, queue_notes, fault):
    """The other order: at most once, which loses mail without a word."""
    kills = 3
    people = queue_notes(3 * kills)
    die_again_and_again(smtp, kills, "marks first")

    faults.seconds_until(lambda: outbox.deliver() == 0 and faults.everything_is_done(), 30)

    lost = faults.lost(people, smtp)
    fault("F2 with the mark before the mail", kills=kills, lost=lost)
    assert lost == kills


def test_f7_task_given_out_again_while_it_still_runs_doubles_nothing(due, smtp, processes, fault):
    """A visibility time-out of 2 s, shorter than the task: the broker believes the worker dead and asks another."""
    people = due(faults.size(150))
    smtp.seconds_per_mail = 0.002 if faults.FULL_SIZE else 0.05
    processes.environment |= {"TEST_VISIBILITY_TIMEOUT": "2", "MAIL_LINES": "1"}
    services.queue_due_reminders()
    processes.worker()
    wait_until(lambda: "ready." in processes.said(), 60, processes.said)
    send_task("outbox.tasks.deliver_outbox")
    wait_until(faults.everything_is_done, 300, processes.said)

    tasks = Counter(re.findall(r"deliver_outbox\[(.+?)\] received", processes.said()))
    again = sum(tasks.values()) - len(tasks)
    fault("F7 visibility time-out of 2 s", mails=len(people), given_out_again=again, repeats=faults.repeats(smtp))
    assert smtp.people == {person.email: 1 for person in people}
    assert again > 0


def test_f7_without_claims_tasks_given_out_again_double(due, smtp, processes, fault):
    people = due(40)
    smtp.seconds_per_mail = 0.05
    services.queue_due_reminders()
    processes.worker_without("claims")
    wait_until(lambda: "ready." in processes.said(), 60, processes.said)
    send_task("outbox.tasks.deliver_outbox", times=2)
    wait_until(faults.everything_is_done, 60, processes.said)

    repeats = faults.repeats(smtp)
    fault("F7 without claims", mails=len(people), repeats=repeats)
    assert repeats > 0
