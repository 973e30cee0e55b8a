"""Reports read from a folder of a real IMAP server, over TLS."""

import pytest
from django.core.management import CommandError, call_command

from outbox import services
from outbox.bounces import sends_mail_back
from outbox.mailboxes import MOST_BYTES, open_mailbox
from outbox.models import Email
from tests.imap_server import imap_server
from tests.outbox.test_bounces import question, report, run, to


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with imap_server(tmp_path_factory.mktemp("imap")) as server:
        yield server


@pytest.fixture
def host(running, monkeypatch):
    """The server, its folder empty, and its certificate trusted as those of public hosts are."""
    monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
    with running.opened() as client:
        client.select("INBOX")
        client.store("1:*", "+FLAGS", r"(\Deleted)")
        client.expunge()
    return running


@pytest.fixture
def sent(db, smtp, queue_notes, settings):
    settings.BOUNCE_ADDRESS = "bounces@site.example"
    (person,) = queue_notes(1)
    services.deliver()
    return Email.objects.get(), person


def test_folder_is_read_and_what_is_no_report_stays(sent, host):
    email, person = sent
    whole = report(to=to(email.pk, person.email), person=person.email)
    host.put(question(), whole, whole, whole.replace(b"failed", b"delayed"), b"\xff\xfe\x00 no mail at all")

    assert run(host.url()) == "1 noted, 1 with nothing new, 3 other mails left"
    assert run(host.url()) == "0 noted, 0 with nothing new, 3 other mails left"
    assert host.count() == 3
    person.refresh_from_db()
    assert sends_mail_back(person)


def test_another_folder_is_read(sent, host):
    email, person = sent
    host.put(report(to=to(email.pk, person.email), person=person.email), folder="Bounces")

    assert run(host.url("Bounces")) == "1 noted, 0 with nothing new, 0 other mails left"


def test_of_a_giant_mail_only_the_beginning_is_fetched(sent, host):
    email, person = sent
    host.put(report(to=to(email.pk, person.email), person=person.email) + b"x" * 3 * MOST_BYTES)

    with open_mailbox(host.url()) as mailbox:
        ((_key, raw),) = mailbox.mails()
    assert len(raw) == MOST_BYTES
    assert run(host.url()) == "1 noted, 0 with nothing new, 0 other mails left"


def test_two_who_read_at_once_do_no_harm(sent, host):
    """What one takes away under the hands of the other is read by neither twice, or is nothing new."""
    email, person = sent
    host.put(report(to=to(email.pk, person.email), person=person.email), question())

    with open_mailbox(host.url()) as mailbox:
        mails = mailbox.mails()
        next(mails)
        assert run(host.url()) == "1 noted, 0 with nothing new, 1 other mails left"
        for key, _raw in mails:
            mailbox.take_away(key)
    assert host.count() == 1


@pytest.mark.parametrize(
    ("asked", "why"),
    [({"password": "wrong secret"}, "says: "), ({"folder": "Nowhere"}, r"has no folder Nowhere\.$")],
)
def test_what_the_server_says_is_said_without_the_password(host, asked, why):
    with pytest.raises(CommandError, match=why) as error:
        call_command("process_bounces", host.url(**asked))

    assert "secret" not in str(error.value)


def test_server_that_nobody_vouches_for_gets_no_password(host, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(CommandError, match="certificate verify failed"):
        call_command("process_bounces", host.url())
