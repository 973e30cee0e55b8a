"""Once with the mail server of most installations: Debian's Postfix, with maildirs and its own reports."""

import io

import pytest
from django.core.management import call_command

from outbox import services
from outbox.models import BouncedAddress, Email
from tests import make
from tests.postfix import postfix
from tests.site import wait_until


def test_postfix_delivers_refuses_and_reports_and_each_is_understood(db, settings, queue_notes, states):
    people = make.members(4)
    here, there, refused, gone = [person.email for person in people]
    domains = [here.partition("@")[2], "site.example"]
    bounces = "bounces@site.example"

    with postfix(domains=domains, known=[here, there, bounces], gone=[gone]) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.BOUNCE_ADDRESS = bounces
        queue_notes(people)

        sent = services.deliver()
        wait_until(lambda: len(server.mails_to(bounces)) == 1)
        said = io.StringIO()
        call_command("process_bounces", str(server.maildir(bounces)), stdout=said)

        for address in (here, there):
            (mail,) = server.mails_to(address)
            email = Email.objects.get(recipient__email=address)
            assert (mail["To"], mail["Message-ID"]) == (address, email.message_id)
            assert (mail["Delivered-To"], mail.get_all("Cc"), mail.get_all("Bcc")) == (address, None, None)
            assert not mail.defects
            assert mail.get_body(("plain",)).get_content().strip() == f"Hello {email.pk}"

    assert sent == 3
    assert said.getvalue().strip() == "1 noted, 0 with nothing new, 0 other mails left"
    assert {address: state for address, (state, *_rest) in states().items()} == {
        here: "sent",
        there: "sent",
        refused: "failed",
        gone: "bounced",
    }
    assert set(BouncedAddress.objects.values_list("address", flat=True)) == {refused, gone}


@pytest.mark.usefixtures("db")
def test_server_that_was_away_gets_everything_once_it_is_back(settings, queue_notes, states):
    people = make.members(3)
    known = [person.email for person in people]

    with postfix(domains=[known[0].partition("@")[2]], known=known, gone=[]) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        queue_notes(people)
        server.run("stop")
        while_away = services.deliver()
        server.run("start")
        once_back = services.deliver()
        wait_until(lambda: all(server.mails_to(address) for address in known))

        assert (while_away, once_back) == (0, 3)
        assert [len(server.mails_to(address)) for address in known] == [1, 1, 1]
