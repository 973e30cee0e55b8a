"""A mail server at its worst: what it says, how long it says nothing, and when it goes."""

import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from outbox import lines, mail_server, services
from outbox.mail_server import LineBroke
from outbox.models import Email

from . import faults
from .test_claims import at_once

PATIENCE = 1  # second


def deliver_again_and_again(rounds):
    """As ticks do, each time past the waits between attempts, until all is done or the rounds are over."""
    for _round in range(rounds):
        if faults.everything_is_done():
            break
        put_off = Email.objects.filter(state="queued", send_after__gt=timezone.now())
        put_off.update(send_after=timezone.now() - timedelta(seconds=1))
        at_once(2, services.deliver)


def test_f5_bad_answers_hangs_and_cut_lines_lose_nobody_who_can_be_reached(
    transactional_db, smtp, queue_notes, settings, fault
):
    settings.EMAIL_TIMEOUT = PATIENCE
    people = queue_notes(faults.size(240))
    chance = Random("a bad day")
    chosen = {person.email: chance.random() for person in people}
    later = [address for address, draw in chosen.items() if draw < 0.3]
    nobody = [address for address, draw in chosen.items() if 0.3 <= draw < 0.32]
    cut = [address for address, draw in chosen.items() if 0.32 <= draw < 0.34]
    doubtful = [address for address, draw in chosen.items() if 0.34 <= draw < 0.36]
    hangs = [address for address, draw in chosen.items() if 0.36 <= draw < 0.37]
    once = {address: ["450 busy", "451 greylisted"][number % 2] for number, address in enumerate(later)}
    once |= dict.fromkeys(later[:75:3], "421 closing")  # each ends a sender's round
    once |= (
        dict.fromkeys(cut, "drop in DATA") | dict.fromkeys(doubtful, "drop after DATA") | dict.fromkeys(hangs, "hang")
    )
    smtp.answers_once = once
    smtp.answers = dict.fromkeys(nobody, "550 5.1.1 no such person")

    deliver_again_and_again(1000 if faults.FULL_SIZE else 60)

    reachable = [person for person in people if person.email not in nobody]
    repeats, refused = faults.repeats(smtp), Email.objects.filter(state="failed").count()
    figures = {"mails": len(people), "put_off": len(later), "refused": refused, "lines_cut_in_doubt": len(doubtful)}
    fault("F5 450, 451, 421, 550, hangs, cuts", **figures, lost=faults.lost(reachable, smtp), repeats=repeats)
    assert faults.lost(reachable, smtp) == 0
    assert Email.objects.filter(state="sent").count() == len(reachable)
    assert refused == len(nobody)
    assert len(doubtful) <= repeats <= sum(Email.objects.values_list("doubts", flat=True))
    assert faults.repeats_nobody_was_told_of(smtp) == 0


def test_f5_without_trying_again_mail_is_lost(transactional_db, smtp, queue_notes, monkeypatch, fault):
    monkeypatch.setattr(services, "MOST_ATTEMPTS", 1)
    people = queue_notes(20)
    smtp.answers_once = dict.fromkeys([person.email for person in people[:6]], "450 busy")

    deliver_again_and_again(3)

    fault("F5 without trying again", mails=len(people), lost=faults.lost(people, smtp))
    assert faults.lost(people, smtp) == 6


@pytest.fixture
def hanging(transactional_db, smtp, queue_notes, settings):
    """Mails the first of which makes the server fall silent; each takes the server a moment."""
    settings.EMAIL_TIMEOUT = 2
    smtp.seconds_per_mail = 0.08
    people = queue_notes(services.BATCH)
    smtp.answers_once = {people[0].email: "hang"}
    Email.objects.filter(recipient=people[0]).update(send_after=timezone.now() - timedelta(minutes=1))
    return people


def mails_a_second(smtp, *, while_silent):
    """Of all lines but the one that hangs, over the time in which it does."""
    running = threading.Thread(target=lambda: at_once(1, lambda: services.deliver(seconds=6)))
    running.start()
    faults.seconds_until(lambda: smtp.hanging or (not while_silent and smtp.taken), 10)
    before = len(smtp.taken)
    time.sleep(1.2)
    meanwhile = smtp.taken[before:]
    running.join()
    return faults.mails_a_second(meanwhile, at_once=6)  # whole rounds of three lines, which go in step


def test_f5_server_that_hangs_holds_up_one_line_for_one_time_out(hanging, smtp, settings, fault):
    settings.MAIL_LINES = 4
    beside = mails_a_second(smtp, while_silent=True)
    deliver_again_and_again(1)
    assert smtp.people == {person.email: 1 for person in hanging}

    settings.MAIL_LINES = 3
    Email.objects.update(state="queued", sent_at=None, attempts=0)
    usual = mails_a_second(smtp, while_silent=False)

    share = round(beside / usual, 2)
    fault("F5 a line that hangs", others_keep_of_their_rate=share)
    assert share >= 0.8


def test_f5_with_one_line_only_a_hang_holds_up_everybody(hanging, smtp, settings, fault):
    settings.MAIL_LINES = 1

    beside = mails_a_second(smtp, while_silent=True)

    fault("F5 with one line only", mails_a_second_during_a_hang=round(beside, 1))
    assert beside == 0


def test_f13_backlog_of_a_day_leaves_as_fast_as_ever(transactional_db, smtp, queue_notes, settings, fault):
    smtp.seconds_per_mail = 0.002 if faults.FULL_SIZE else 0.015
    how_many = faults.size(150)
    people = queue_notes(how_many)
    services.deliver(seconds=600)
    usual = faults.mails_a_second(smtp.taken)

    queue_notes(people, fact="2")
    with nobody_listens() as port:
        settings.EMAIL_PORT = port
        for _tick in range(20):  # as many as find it away
            assert services.deliver() == 0
    settings.EMAIL_PORT = smtp.port
    services.deliver(seconds=600)

    share = round(faults.mails_a_second(smtp.taken[how_many:]) / usual, 2)
    lost = 2 * how_many - len(smtp.message_ids)
    fault("F13 mail server away for a day", mails=how_many, lost=lost, rate_of_the_backlog=share)
    assert lost == faults.repeats(smtp) == 0
    assert share >= 0.8


def test_f13_if_an_absent_server_cost_attempts_the_backlog_would_wait(
    transactional_db, smtp, queue_notes, settings, monkeypatch, fault
):
    """The guard off: a server that cannot be reached is taken for the fault of each mail."""
    monkeypatch.setattr(mail_server, "ServerAway", lambda why: LineBroke(why, in_doubt=False))
    monkeypatch.setattr(lines, "MOST_BREAKS", 1000)
    people = queue_notes(20)
    with nobody_listens() as port:
        settings.EMAIL_PORT = port
        for _tick in range(3):
            services.deliver()
    settings.EMAIL_PORT = smtp.port

    left = services.deliver()

    fault("F13 if an absent server cost attempts", backlog=len(people), left_at_once=left)
    assert left == 0


@contextmanager
def nobody_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]
