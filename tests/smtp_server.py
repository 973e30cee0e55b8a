"""A real SMTP server on loopback that records what it took and can be told to misbehave, recipient by recipient."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller


@dataclass
class Taken:
    """One message the server said 250 to."""

    sender: str
    recipients: list[str]
    mail: EmailMessage
    at: float = field(default_factory=time.monotonic)

    @property
    def message_id(self) -> str:
        return str(self.mail["Message-ID"])


@dataclass
class SmtpServer:
    """`answers[address]` is what RCPT TO says ("451 later"), or "hang", "drop", "drop in DATA" or "drop after DATA";
    `answers_once`, the same for the first time only.
    """

    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    answers_once: dict[str, str] = field(default_factory=dict)
    answer_to_all: str = ""
    hanging: int = 0
    answer_to_sender: str = ""
    seconds_per_mail: float = 0
    reads_ahead: bool = True
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def people(self) -> Counter[str]:
        """How many mails each address got."""
        return Counter(address for one in self.taken for address in one.recipients)

    @property
    def message_ids(self) -> Counter[str]:
        return Counter(one.message_id for one in self.taken)

    def mail_to(self, address: str) -> EmailMessage:
        (found,) = [one.mail for one in self.taken if one.recipients == [address]]
        return found

    # What aiosmtpd calls.

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self.reads_ahead else responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.answer_to_sender:
            return self.answer_to_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answer_to_all or self.answers_once.pop(address, "") or self.answers.get(address, "")
        session.fault = answer
        if answer == "hang":
            self.hanging += 1
            await asyncio.sleep(30)
        if answer == "drop":
            server.transport.abort()
            return "421 gone"
        if answer and not answer.startswith("drop"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if session.fault == "drop in DATA":  # all of it was sent, nothing of it is kept
            server.transport.abort()
            return "451 gone"
        if self.seconds_per_mail:
            await asyncio.sleep(self.seconds_per_mail)
        mail = message_from_bytes(envelope.original_content, policy=policy.default)
        self.taken.append(Taken(envelope.mail_from, list(envelope.rcpt_tos), mail))
        if session.fault == "drop after DATA":
            server.transport.abort()
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def smtp_server(settings, port: int = 0) -> Iterator[SmtpServer]:
    """Run a server and let the site under test send through it."""
    server = SmtpServer(port=port or free_port())
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, ready_timeout=10, timeout=60, enable_SMTPUTF8=False
    )
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 1
    try:
        yield server
    finally:
        controller.stop()
