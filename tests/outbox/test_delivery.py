"""What happens to a queued mail, whatever the mail server does. A real server on loopback does it."""

import re
import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.core import mail as django_mail
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from outbox import kinds, lines, services
from outbox import message as message_module
from outbox.kinds import Kind, Letter, Unwanted
from outbox.message import Message
from outbox.models import Email
from tests import make


def test_each_person_gets_one_mail_of_their_own(db, smtp, queue_notes, states):
    people = queue_notes(3)

    assert services.deliver() == 3
    assert services.deliver() == 0
    assert smtp.people == {person.email: 1 for person in people}
    assert all(len(one.recipients) == 1 for one in smtp.taken)
    assert smtp.connections == 1
    assert set(states().values()) == {("sent", 1, "")}


def test_server_that_cannot_read_ahead_is_asked_step_by_step(db, smtp, queue_notes, states):
    smtp.reads_ahead = False
    refused, later, good = queue_notes(3)
    smtp.answers = {refused.email: "550 5.1.1 no such person", later.email: "450 busy"}

    assert services.deliver() == 1
    assert smtp.people == {good.email: 1}
    assert smtp.connections == 1
    assert states() == {
        refused.email: ("failed", 1, "refused (550)"),
        later.email: ("queued", 1, "put off (450)"),
        good.email: ("sent", 1, ""),
    }


def test_headers_are_those_of_a_subscription(db, smtp, queue_notes, settings):
    """EML-04, EML-08: one To, nobody else, a way out that mail programs know, no tracking."""
    settings.SITE_URL, settings.SITE_HOST = "https://site.example", "site.example"
    (person,) = queue_notes(1)

    services.deliver()

    mail, email = smtp.mail_to(person.email), Email.objects.get()
    assert mail.get_all("To") == [person.email]
    assert (mail["Cc"], mail["Bcc"], mail["Reply-To"]) == (None, None, None)
    assert mail["Message-ID"] == f"<{email.pk}@site.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "<reminders.site.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https://site\.example/u/[\w:-]+/>", mail["List-Unsubscribe"].strip())
    assert mail["From"] == settings.REMINDERS_FROM_EMAIL
    assert mail["Date"]
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_mail_nobody_can_switch_off_has_no_list_headers(db, smtp, queue_notes):
    (person,) = queue_notes(1)
    kinds.register(Kind("note", prepare=kinds.get("note").prepare))

    services.deliver()

    mail = smtp.mail_to(person.email)
    assert (mail["List-Id"], mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == (None, None, None)


def test_line_break_in_a_subject_starts_no_header(db, smtp, queue_notes):
    (person,) = queue_notes(1)
    _note_says(Letter("Hello\r\nBcc: spy@example.org\n\nbody", "text", "<p>html</p>"))

    services.deliver()

    mail = smtp.mail_to(person.email)
    assert mail["Subject"] == "Hello Bcc: spy@example.org body"
    assert mail["Bcc"] is None
    assert smtp.people == {person.email: 1}


def test_line_break_in_an_address_fails_that_mail_only(db, smtp, queue_notes, states):
    bad, good = queue_notes(2)
    type(bad).objects.filter(pk=bad.pk).update(email="evil@example.org\r\nbcc: spy@example.org")

    services.deliver()

    assert smtp.people == {good.email: 1}
    assert {state for state, *_ in states().values()} == {"failed", "sent"}


def test_person_without_an_address_stops_nobody(db, smtp, queue_notes, states):
    nowhere, good = queue_notes(2)
    type(nowhere).objects.filter(pk=nowhere.pk).update(email="")

    services.deliver()

    assert smtp.people == {good.email: 1}
    assert states() == {
        "": ("failed", 1, "cannot be sent (no address)"),
        good.email: ("sent", 1, ""),
    }


def test_server_that_puts_off_is_asked_again_later_and_later(db, smtp, queue_notes, states):
    (person,) = queue_notes(1)
    smtp.answers[person.email] = "451 try again"

    waits = []
    for _attempt in range(services.MOST_ATTEMPTS - 1):
        services.deliver()
        waits.append((Email.objects.get().send_after - timezone.now()).total_seconds())
        assert services.deliver() == 0  # not before its time
        Email.objects.update(send_after=timezone.now() - timedelta(seconds=1))

    for wait, minutes in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60), strict=True):
        assert minutes * 60 - 5 <= wait <= minutes * 90
    assert len({round(wait / minutes) for wait, minutes in zip(waits, (1, 2, 4, 8, 16, 32), strict=False)}) > 1
    assert states() == {person.email: ("queued", 11, "put off (451)")}

    services.deliver()

    assert states() == {person.email: ("failed", 12, "put off (451)")}


def test_server_that_puts_off_once_gets_the_mail_then(db, smtp, queue_notes, states):
    (person,) = queue_notes(1)
    smtp.answers[person.email] = "451 try again"
    services.deliver()
    smtp.answers.clear()
    Email.objects.update(send_after=timezone.now() - timedelta(seconds=1))

    assert services.deliver() == 1
    assert states() == {person.email: ("sent", 2, "")}


def test_server_that_refuses_is_not_asked_again(db, smtp, queue_notes, states):
    refused, good = queue_notes(2)
    smtp.answers[refused.email] = "550 no such person"

    assert services.deliver() == 1
    assert states() == {refused.email: ("failed", 1, "refused (550)"), good.email: ("sent", 1, "")}


@pytest.mark.parametrize("fault", ["drop", "hang", "421 too many"])
def test_line_that_breaks_at_one_mail_is_opened_again_for_the_others(db, smtp, queue_notes, states, fault):
    first, bad, last = queue_notes(3)
    smtp.answers[bad.email] = fault

    assert services.deliver() == 2
    assert smtp.people == {first.email: 1, last.email: 1}
    assert states()[bad.email][:2] == ("queued", 1)


def test_mail_in_doubt_is_repeated_under_the_same_message_id(db, smtp, queue_notes):
    """The server took it and was gone before it said so: nobody can know, so the mail goes out again, recognisably."""
    (person,) = queue_notes(1)
    smtp.answers[person.email] = "drop after DATA"
    services.deliver()
    smtp.answers.clear()
    Email.objects.update(send_after=timezone.now() - timedelta(seconds=1))

    services.deliver()

    assert smtp.people == {person.email: 2}
    assert len(smtp.message_ids) == 1


def test_mail_in_doubt_is_counted_and_given_up_rather_than_sent_on_and_on(db, smtp, queue_notes, states):
    """A server that takes the mail and hangs up before it says so: three may have arrived, more do not leave."""
    (person,) = queue_notes(1)
    smtp.answers[person.email] = "drop after DATA"
    for doubts in (1, 2, 3):
        services.deliver()
        assert Email.objects.get().doubts == doubts
        Email.objects.update(send_after=timezone.now() - timedelta(seconds=1))

    assert services.deliver() == 0
    assert smtp.people == {person.email: 3}
    assert len(smtp.message_ids) == 1
    assert states() == {person.email: ("failed", 3, "may have arrived: line broke (SMTPServerDisconnected)")}


@pytest.mark.parametrize("fault", ["drop", "hang", "421 too many"])
def test_line_that_breaks_before_the_mail_was_given_leaves_no_doubt_and_no_mail_behind(db, smtp, queue_notes, fault):
    """It is no fault of the mail: it is tried for as long as it helps, however often the line broke."""
    (person,) = queue_notes(1)
    Email.objects.update(attempts=services.MOST_ATTEMPTS)
    smtp.answers[person.email] = fault
    services.deliver()
    smtp.answers.clear()
    assert (Email.objects.get().doubts, Email.objects.get().state) == (0, "queued")
    Email.objects.update(send_after=timezone.now() - timedelta(seconds=1))

    assert services.deliver() == 1
    assert smtp.people == {person.email: 1}


def test_server_that_refuses_everybody_is_left_alone(db, smtp, queue_notes, settings):
    """A relay that no longer knows us: not every address there is shall be taken for a dead one."""
    people = queue_notes(lines.MOST_REFUSALS + 10)
    smtp.answer_to_all = "554 5.7.1 relay access denied"

    services.deliver()

    states = list(Email.objects.values_list("state", flat=True))
    assert lines.MOST_REFUSALS <= states.count("failed") < lines.MOST_REFUSALS + settings.MAIL_LINES
    assert states.count("queued") == len(people) - states.count("failed")


def test_mail_too_late_says_what_held_it_up(db, smtp, queue_notes, states):
    first, second = queue_notes(2)
    Email.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    Email.objects.filter(recipient=second).update(reason="put off (451)", attempts=3)

    assert services.deliver() == 0
    assert states() == {
        first.email: ("expired", 0, "too late"),
        second.email: ("expired", 3, "too late: put off (451)"),
    }


def test_server_that_is_away_costs_no_mail_an_attempt(db, smtp, queue_notes, states, settings):
    people = queue_notes(services.BATCH + 20)
    settings.EMAIL_PORT = _closed_port()

    began = time.monotonic()
    assert services.deliver() == 0

    assert time.monotonic() - began < 2
    assert set(states().values()) == {("queued", 0, "")}
    assert services.oldest_due_age() > timedelta()  # and the alarm sees them waiting

    settings.EMAIL_PORT = smtp.port
    assert services.deliver() == len(people)


def test_server_that_says_nothing_is_left_alone_after_one_wait(db, queue_notes, states, settings, smtp):
    queue_notes(30)
    with _silent_server() as port:
        settings.EMAIL_PORT = port

        began = time.monotonic()
        services.deliver()

    assert time.monotonic() - began < 3 * settings.EMAIL_TIMEOUT
    assert set(states().values()) == {("queued", 0, "")}


def test_server_that_breaks_every_line_is_left_alone_after_three_each(db, smtp, queue_notes, states, settings):
    queue_notes(30)
    settings.MAIL_LINES = 2
    smtp.answer_to_all = "drop"

    services.deliver()

    attempts = sum(attempts for _state, attempts, _reason in states().values())
    assert 2 * lines.MOST_BREAKS <= attempts <= 2 * lines.MOST_BREAKS + 1


def test_server_that_refuses_the_sender_costs_no_mail_an_attempt(db, smtp, queue_notes, states):
    queue_notes(5)
    smtp.answer_to_sender = "550 who are you"

    services.deliver()

    assert set(states().values()) == {("queued", 0, "")}


def test_slow_server_ends_the_run_in_time_and_the_rest_waits_unclaimed(db, smtp, queue_notes, states):
    queue_notes(50)
    smtp.seconds_per_mail = 0.1

    began = time.monotonic()
    sent = services.deliver(seconds=0.5)

    assert time.monotonic() - began < 1.5
    assert 1 <= sent < 20
    found = list(states().values())
    assert (found.count(("sent", 1, "")), found.count(("queued", 0, ""))) == (sent, 50 - sent)


def test_mail_that_is_too_late_is_not_sent(db, smtp, queue_notes, states):
    (person,) = queue_notes(1, expires_at=timezone.now() - timedelta(seconds=1))

    assert services.deliver() == 0
    assert states() == {person.email: ("expired", 0, "too late")}


def test_mail_no_longer_wanted_is_not_sent_and_says_why(db, smtp, queue_notes, states):
    (person,) = queue_notes(1)
    _note_says(Unwanted("not coming"))

    assert services.deliver() == 0
    assert states() == {person.email: ("suppressed", 0, "not coming")}


def test_one_mail_that_cannot_be_written_stops_no_other(db, smtp, queue_notes, states):
    bad, good, forgotten = queue_notes(3)

    def prepare(emails):
        answers = {}
        for email in emails:
            if email.recipient_id == bad.pk:
                raise RuntimeError("a bad row")
            if email.recipient_id == good.pk:
                answers[email.pk] = Letter("Hello", "text", "<p>html</p>")
        return answers

    kinds.register(Kind("note", prepare))

    assert services.deliver() == 1
    assert states() == {
        bad.email: ("queued", 1, "cannot be written"),
        good.email: ("sent", 1, ""),
        forgotten.email: ("queued", 1, "cannot be written"),
    }


def test_kind_this_program_does_not_know_waits_for_one_that_does(db, smtp, queue_notes, states):
    (person,) = queue_notes(1)
    (stranger,) = make.members(1)
    email = Email.objects.get()
    Email.objects.create(
        key="?", kind="from tomorrow", recipient=stranger, about_id=email.about_id, expires_at=email.expires_at
    )

    assert services.deliver() == 1
    assert states() == {person.email: ("sent", 1, ""), stranger.email: ("queued", 1, "cannot be written")}


def test_same_fact_is_told_once(db, smtp, queue_notes):
    email_fields = {"about_id": make.members(1)[0].pk}
    people = queue_notes(2, fact="monday", **email_fields)
    queue_notes(people, fact="monday", **email_fields)
    queue_notes(people, fact="tuesday", **email_fields)

    assert Email.objects.count() == 4


def test_mail_is_queued_with_the_change_or_not_at_all(db, queue_notes):
    people = make.members(1)

    with transaction.atomic():
        queue_notes(people)
        transaction.set_rollback(True)

    assert not Email.objects.exists()


def test_cost_of_a_batch_is_the_same_for_few_and_many(db, smtp, queue_notes, django_assert_num_queries):
    services.deliver()  # what a session makes ready once
    for how_many in (3, 30):
        queue_notes(how_many)
        # stuck and dead senders, lock, is ready; claim (4), read, claim in vain (4), release, unlock; no mark
        with django_assert_num_queries(15):
            services.deliver()


def test_mails_that_lines_hand_over_together_share_a_commit(transactional_db, smtp, queue_notes, settings, monkeypatch):
    """The guard of the speed: a commit each is what sending costs most."""
    settings.MAIL_LINES = 8
    monkeypatch.setattr(lines, "BREATH", 0.05)  # the server of the tests is slow
    people = queue_notes(200)

    services.deliver()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT xmin::text) FROM outbox_email WHERE state = 'sent'")
        mails, commits = cursor.fetchone()
    assert mails == len(people)
    assert mails / settings.MAIL_LINES <= commits <= mails / 4


def test_deliver_outbox_by_hand_says_how_many(db, smtp, queue_notes, capsys):
    queue_notes(2)

    call_command("deliver_outbox")

    assert capsys.readouterr().out == "2 sent\n"


# --- The bytes of a mail: filled in, or built from the ground, it is the same mail -----------------------------------

LINK = "https://link.invalid/"
LETTERS = [
    Letter("Hello", f"Hello, {LINK} please", f'<p>Hello</p><a href="{LINK}">{LINK}</a>'),
    Letter("Cita: mañana a las 18:30", f"Mañana, ¿vienes?\n\n.\n..\n.{LINK}\n-- \nFrom here", f"<p>Mañana {LINK}</p>"),
    Letter("Word " * 60, f"{LINK}", "<p>no link</p>"),
    Letter("Long lines are encoded", "word " * 400 + LINK, f"<p>{'word ' * 400}{LINK}</p>"),
    Letter("Line\r\nBcc: spy@example.org", f"text {LINK}\r\nlast line without an end", f"<p>{LINK}"),
]
ADDRESSES = ["mia@example.org", "o'hara+x=y@mail.example.org", '"a b"@example.org', "mia@exämple.org"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.subject[:20].strip())
def test_mail_filled_in_is_the_mail_that_django_builds(letter, address):
    """Read by a mail program, `email.policy.default`: every header and both texts."""
    headers = {
        "From": "Meetings <reminders@example.org>",
        "Date": "Sat, 21 Nov 2026 10:00:00 -0000",
        "Message-ID": "<1@example.org>",
        "List-Unsubscribe": f"<https://site.example/u/{'x' * 200}/>",
    }
    filled = letter.filled_in({LINK: f"https://site.example/m/{'y' * 150}/"})
    message = Message(filled, to=address, return_to="bounces+1@example.org", headers=headers)

    on_the_line = message.content
    assert on_the_line.endswith(b"\r\n.\r\n")
    assert b"\n" not in on_the_line.replace(b"\r\n", b"")
    lines = on_the_line.removesuffix(b".\r\n").split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not [line for line in lines if line.startswith(b".") and not line.startswith(b"..")]
    received = _read(b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines))
    built = _read(message.for_django.message().as_bytes(linesep="\r\n"))

    assert received == built
    assert not received["defects"]
    assert received["headers"]["To"]
    assert "Bcc" not in received["headers"]
    assert LINK not in str(received)


def test_mails_of_one_letter_are_filled_in_and_not_built_anew():
    """The guard of the speed: a form is made once, and what is in it is only what it was given."""
    filled = [LETTERS[0].filled_in({LINK: f"https://site.example/{number}/"}) for number in range(50)]
    before = message_module._form.cache_info().misses

    mails = [
        Message(one, to=f"p{number}@example.org", return_to="b@example.org", headers={"Message-ID": f"<{number}@x>"})
        for number, one in enumerate(filled)
    ]
    texts = {mail.content for mail in mails}

    assert len(texts) == 50
    assert message_module._form.cache_info().misses == before + 1


def _read(whole):
    mail = message_from_bytes(whole, policy=policy.default)
    texts = [mail.get_body([kind]).get_content().rstrip() for kind in ("plain", "html")]
    headers = {name: " ".join(str(value).split()) for name, value in mail.items() if name != "Content-Type"}
    return {"headers": headers, "texts": texts, "defects": [d for part in mail.walk() for d in part.defects]}


# --- What is said on the line ----------------------------------------------------------------------------------------


@contextmanager
def _server_with_answers(settings, answers):
    """Answers what it is told, piece by piece as it arrives, from this list; gives what arrived."""
    heard = []

    def converse(listening):
        line, _address = listening.accept()
        with line:
            line.sendall(b"220 here\r\n")
            for answer in answers:
                heard.append(line.recv(100_000))
                line.sendall(answer)
            line.recv(100)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        settings.EMAIL_HOST, settings.EMAIL_PORT = listening.getsockname()
        server = threading.Thread(target=converse, args=[listening], daemon=True)
        server.start()
        yield heard
        server.join(5)


HELLO = b"250-here\r\n250-PIPELINING\r\n250 8BITMIME\r\n"


def test_server_that_reads_ahead_is_waited_for_twice_a_mail(db, smtp, queue_notes, settings):
    """Where each wait takes 10 ms, that is what a mail costs: two of them, not four."""
    people = queue_notes(2)
    taken = [b"250 ok\r\n250 ok\r\n354 go on\r\n", b"250 taken\r\n"]
    with _server_with_answers(settings, [HELLO, *taken, *taken]) as heard:
        assert services.deliver() == len(people)

    _hello, said, _mail, said_again, _second = heard
    assert [words.count(b"\r\n") for words in (said, said_again)] == [3, 3]
    assert said.splitlines()[-1] == b"DATA"


def test_server_that_refuses_somebody_and_still_waits_for_a_mail_gets_an_empty_one(
    db, smtp, queue_notes, settings, states
):
    """RFC 2920 §3.1: it read DATA before it looked at the address. The next mail goes over the same line."""
    queue_notes(2)
    refused = [b"250 ok\r\n550 5.1.1 nobody\r\n354 go on\r\n", b"554 no recipients\r\n", b"250 reset\r\n"]
    taken = [b"250 ok\r\n250 ok\r\n354 go on\r\n", b"250 taken\r\n"]
    with _server_with_answers(settings, [HELLO, *refused, *taken]) as heard:
        assert services.deliver() == 1

    assert [words.strip() for words in heard[2:4]] == [b".", b"rset"]
    assert sorted(states().values()) == [("failed", 1, "refused (550)"), ("sent", 1, "")]


# --- Another way to send ----------------------------------------------------------------------------------------------


def test_provider_of_its_own_gets_whole_mails_from_django(db, queue_notes, settings, states):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    (person,) = queue_notes(1)

    assert services.deliver() == 1
    assert [(mail.to, mail.subject) for mail in django_mail.outbox] == [([person.email], "Hello")]
    assert states() == {person.email: ("sent", 1, "")}


# --- A broker that is away never keeps anybody waiting ----------------------------------------------------------------


@pytest.mark.parametrize("fault", ["refuses", "is silent"])
def test_broker_away_delays_a_request_by_less_than_half_a_second(
    db, queue_notes, fault, django_capture_on_commit_callbacks, monkeypatch
):
    with _silent_server() as silent, _broker_at(_closed_port() if fault == "refuses" else silent):
        services.wake_senders()  # what a process loads once
        monkeypatch.setattr(services, "_broker_away_until", 0.0)
        with django_capture_on_commit_callbacks() as after_commit:
            for _meeting in range(12):
                queue_notes(1)
        began = time.monotonic()
        for wake in after_commit:
            wake()
        waited = time.monotonic() - began

    assert waited < 0.5
    assert Email.objects.count() == 12


# --- Helpers ----------------------------------------------------------------------------------------------------------


def _note_says(answer):
    kinds.register(Kind("note", lambda emails: {email.pk: answer for email in emails}))


def _closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _silent_server():
    """Accepts connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield server.getsockname()[1]


@contextmanager
def _broker_at(port):
    app = services.current_app
    before = app.conf.broker_url, app.conf.broker_write_url
    app.conf.broker_url = app.conf.broker_write_url = f"redis://127.0.0.1:{port}/0"
    try:
        yield
    finally:
        app.conf.broker_url, app.conf.broker_write_url = before
