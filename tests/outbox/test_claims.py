"""One mail a person, whoever sends at the same time and whoever dies at it. Each guard has a test without it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import OperationalError, connection
from django.utils import timezone

from outbox import models, services
from outbox.models import Email


def at_once(how_many, action):
    """Do the same in so many threads, each with a connection of its own. Returns what they said, errors included."""
    start = threading.Barrier(how_many)

    def run(_number):
        try:
            start.wait()
            return action()
        except OperationalError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(run, range(how_many)))


def in_a_thread(action):
    return at_once(1, action)[0]


def wait_for_the_dead():
    """PostgreSQL notices within moments that a session's other end is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [models.SENDER_LOCKS])
        while cursor.rowcount:
            time.sleep(0.01)
            cursor.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [models.SENDER_LOCKS])


def assert_every_repeat_was_in_doubt(smtp):
    """Staff are shown each mail that somebody may have got twice."""
    doubts = {email.message_id: email.doubts for email in Email.objects.all()}
    assert {found: times for found, times in smtp.message_ids.items() if times - 1 > doubts[found]} == {}


def test_many_senders_at_once_send_each_mail_once(transactional_db, smtp, queue_notes):
    people = queue_notes(120)

    sent = at_once(4, services.deliver)

    assert sum(sent) == len(people)
    assert smtp.people == {person.email: 1 for person in people}


def test_without_the_claim_many_senders_double(transactional_db, smtp, queue_notes, monkeypatch):
    """The negative control: rows that nobody locks, and that are taken whether or not another has them."""
    people = queue_notes(40)
    smtp.seconds_per_mail = 0.03
    unguarded = models.CLAIM.replace("FOR UPDATE SKIP LOCKED", "").replace("= 'queued'", "IN ('queued', 'claimed')")
    monkeypatch.setattr(models, "CLAIM", unguarded)

    at_once(3, lambda: services.deliver(seconds=2))

    assert sum(smtp.people.values()) > len(people)


def test_without_the_lock_on_a_living_sender_its_mail_is_doubled(transactional_db, smtp, queue_notes, monkeypatch):
    """The negative control: claims are taken from whoever has them, as a lease that is too short would do."""
    people = queue_notes(20)
    smtp.seconds_per_mail = 0.1
    take_all = lambda self: self.filter(state="claimed").update(state="queued", claimed_by=None)  # noqa: E731
    monkeypatch.setattr(models.EmailQuerySet, "release_claims_of_dead_senders", take_all)

    first = threading.Thread(target=in_a_thread, args=[services.deliver])
    first.start()
    while not smtp.taken:
        time.sleep(0.005)
    in_a_thread(services.deliver)
    first.join()

    assert sum(smtp.people.values()) > len(people)


def test_sender_that_died_leaves_its_claims_to_the_next(transactional_db, smtp, queue_notes, settings):
    settings.MAIL_LINES = 2
    people = queue_notes(5)

    claimed = []

    def die_with_claims():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 7), pg_backend_pid()", [models.SENDER_LOCKS])
        claimed.extend(Email.objects.claim(7, 3))
        connection.connection.close()  # not given back to the pool: gone

    in_a_thread(die_with_claims)
    assert len(claimed) == 3
    wait_for_the_dead()

    assert services.deliver() == len(people)
    assert smtp.people == {person.email: 1 for person in people}
    doubtful = set(Email.objects.filter(doubts=1))
    assert doubtful == set(claimed[:2])  # it may have handed over the first, one on each line


def test_claims_of_a_living_sender_are_left_alone(transactional_db, smtp, queue_notes):
    queue_notes(5)
    claimed, finish = threading.Event(), threading.Event()

    def hold():
        with services.sender() as sender:
            Email.objects.claim(sender, 5)
            claimed.set()
            finish.wait(10)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    claimed.wait(10)

    assert services.deliver() == 0
    finish.set()
    thread.join()
    assert services.deliver() == 5


def test_sender_that_hangs_loses_its_session_and_its_claims(transactional_db, smtp, queue_notes, monkeypatch):
    people = queue_notes(5)
    monkeypatch.setattr(services, "STUCK_AFTER", timedelta(seconds=0.3))
    claimed, finish = threading.Event(), threading.Event()
    errors = []

    def hang():
        try:
            with services.sender() as sender:
                Email.objects.claim(sender, 5)
                claimed.set()
                finish.wait(10)
        except OperationalError as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=hang)
    thread.start()
    claimed.wait(10)
    time.sleep(0.4)

    assert services.deliver() == 5
    finish.set()
    thread.join()
    assert len(errors) == 1
    assert smtp.people == {person.email: 1 for person in people}


def test_sender_whose_database_session_ends_stops_and_doubles_nothing(transactional_db, smtp, queue_notes, settings):
    """The lock lives in the session, so a sender never goes on in another one."""
    lines = settings.MAIL_LINES = 2
    people = queue_notes(30)
    smtp.seconds_per_mail = 0.02
    cut = []

    def cut_in_the_middle():
        while len(smtp.taken) < 5:
            time.sleep(0.005)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s",
                [models.SENDER_LOCKS],
            )
        cut.append(len(smtp.taken))
        connection.close()

    cutter = threading.Thread(target=cut_in_the_middle)
    cutter.start()
    said = in_a_thread(services.deliver)
    cutter.join()

    assert isinstance(said, OperationalError)
    assert len(smtp.taken) <= cut[0] + lines
    in_a_thread(services.deliver)
    assert set(smtp.people) == {person.email for person in people}
    assert sum(smtp.message_ids.values()) <= len(people) + lines
    assert_every_repeat_was_in_doubt(smtp)
    assert len(smtp.message_ids) == len(people)


def test_claim_takes_no_more_than_asked_and_the_longest_waiting_first(transactional_db, queue_notes):
    people = queue_notes(10)
    for number, person in enumerate(people):
        Email.objects.filter(recipient=person).update(send_after=timezone.now() - timedelta(minutes=20 - number))

    with services.sender() as sender:
        first = Email.objects.claim(sender, 4)
        second = Email.objects.claim(sender, 100)

    assert [email.recipient_id for email in first + second] == [person.pk for person in people]
    assert len(first) == 4
    assert not Email.objects.exclude(state="queued").exists()
