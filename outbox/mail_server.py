"""The line to the mail server, and what its answers mean to the outbox."""

import re
import smtplib
from collections.abc import Generator, Sequence
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import get_connection

from .message import Message

ENHANCED_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 2034
ANSWER = re.compile(rb"(?:\d{3}-[^\n]*\n)*(\d{3})[ ]?([^\r\n]*)\r?\n")  # RFC 5321 §4.2
LONGEST_BIT = 65_536  # bytes: more than TLS ever hides from whoever waits for the line
HUNG_UP = 421
Answer = tuple[int, bytes]
Steps = Generator[None, None, None]
SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Refused(Exception):
    """The server does not take this message: for good (code 5xx) or for now (4xx). `status`: why (RFC 3463)."""

    def __init__(self, code: int, words: bytes | str = b""):
        super().__init__(code)
        self.code = code
        said = ENHANCED_STATUS.match(words if isinstance(words, bytes) else words.encode())
        self.status = said.group().decode() if said else f"{code // 100}.0.0"

    @property
    def for_good(self) -> bool:
        return self.code >= 500


class Unsendable(Exception):
    """This message cannot be put on the line at all, for instance because of its address."""


class LineBroke(Exception):
    """The line broke at this message. `in_doubt`: the server may have taken it and was gone before it said so."""

    def __init__(self, why: str, *, in_doubt: bool):
        super().__init__(why)
        self.in_doubt = in_doubt


class ServerAway(Exception):
    """Nothing can be handed over at present, which says nothing about any one message."""


class Line(Protocol):
    """One connection to the mail server, opened when first needed, kept, and opened again after it broke."""

    def hand_over(self, message: Message) -> Steps:
        """Steps that end once the server has taken the message, or raise one of the above.

        After each step but the last it is the server's turn; meanwhile there is time for other lines.
        """

    def fileno(self) -> int:
        """Where the server's turn ends: this can be read then."""

    def close(self) -> None: ...


def line() -> Line:
    return SmtpLine() if settings.EMAIL_BACKEND == SMTP else OtherLine()


class SmtpLine:
    """Speaks SMTP itself over the connection that Django opens: Django has no word for what was refused at which step,
    and builds each message anew.

    Where the server can read ahead (RFC 2920), sender, recipient and DATA are said in one go: two waits, not four.
    """

    def __init__(self) -> None:
        self._backend: Any = get_connection()

    def fileno(self) -> int:
        return self._backend.connection.sock.fileno()

    def hand_over(self, message: Message) -> Steps:
        _check(message)
        smtp = self._open()
        in_doubt = False
        try:
            code, words = yield from self._announce(smtp, message)
            if code == 354:
                in_doubt = True
                smtp.send(message.content)
                [(code, words)] = yield from _hear(smtp)
                in_doubt = False
        except OSError as error:  # smtplib's own are OSErrors too
            self.close()
            raise LineBroke(type(error).__name__, in_doubt=in_doubt) from error
        if code == HUNG_UP:
            self.close()
            raise LineBroke(str(code), in_doubt=False)
        if code != 250:
            raise Refused(code, words)

    def close(self) -> None:
        try:
            self._backend.close()
        except OSError:  # it was closed from the other side
            self._backend = get_connection()

    def _open(self) -> smtplib.SMTP:
        try:
            if self._backend.open():
                self._backend.connection.ehlo_or_helo_if_needed()
        except OSError as error:
            self.close()
            raise ServerAway(type(error).__name__) from error
        return self._backend.connection

    def _announce(self, smtp: smtplib.SMTP, message: Message) -> Generator[None, None, Answer]:
        """Say who it is from and for. 354 if the server now wants the content, else why it does not."""
        eight_bit = " BODY=8BITMIME" if message.is_eight_bit and smtp.has_extn("8bitmime") else ""
        asked = [f"MAIL FROM:<{message.sender}>{eight_bit}", f"RCPT TO:<{message.recipient}>", "DATA"]
        answers = yield from _ask(smtp, asked)
        if answers[0][0] != 250:  # the sender of all our mail, before anything was said of this one
            self.close()
            raise ServerAway(f"sender refused ({answers[0][0]})")
        refusal = next((answer for answer in answers if answer[0] not in (250, 251, 354)), None)
        if refusal and refusal[0] != HUNG_UP:
            if answers[-1][0] == 354:  # it read ahead and waits for a content that has no recipient
                smtp.send(b".\r\n")
                smtp.getreply()
            smtp.rset()
        return refusal or answers[-1]


def _ask(smtp: smtplib.SMTP, asked: Sequence[str]) -> Generator[None, None, list[Answer]]:
    """The server's answers: to all at once where it can read ahead, otherwise one by one until it says no."""
    if smtp.has_extn("pipelining"):
        smtp.send("".join(f"{one}\r\n" for one in asked))
        return (yield from _hear(smtp, len(asked)))
    answers: list[Answer] = []
    for one in asked:
        smtp.putcmd(one)
        answers += yield from _hear(smtp)
        if answers[-1][0] >= 400:
            break
    return answers


def _hear(smtp: smtplib.SMTP, how_many: int = 1) -> Generator[None, None, list[Answer]]:
    """The server's next answers; fewer if it hangs up. It is waited for between any two bits of them."""
    heard = b""
    answers: list[Answer] = []
    while len(answers) < how_many and (not answers or answers[-1][0] != HUNG_UP):
        yield
        bit = smtp.sock.recv(LONGEST_BIT)  # type: ignore[union-attr]  # the stubs: not connected yet
        if not bit or len(heard) > LONGEST_BIT:
            raise smtplib.SMTPServerDisconnected
        heard += bit
        while found := ANSWER.match(heard):
            answers.append((int(found[1]), found[2]))
            heard = heard[found.end() :]
    return answers


def _check(message: Message) -> None:
    """What cannot be written is no fault of the line, so it is found out before."""
    try:
        if not message.recipient:
            raise Unsendable("no address")
        message.content  # noqa: B018  (to build it is to check it)
    except ValueError as error:  # a line break in the address, letters that have no bytes
        raise Unsendable(type(error).__name__) from error


class OtherLine:
    """Whatever else Django can send through: a console, a provider's own interface. It takes a message in one step."""

    def __init__(self) -> None:
        self._backend: Any = get_connection()

    def fileno(self) -> int:
        raise OSError("nobody waits for this line")

    def hand_over(self, message: Message) -> Steps:
        try:
            taken = self._backend.send_messages([message.for_django])
        except ValueError as error:  # a line break in the address, letters that have no bytes
            raise Unsendable(type(error).__name__) from error
        except OSError as error:
            raise LineBroke(type(error).__name__, in_doubt=True) from error
        if not taken:
            raise Unsendable("no address")
        yield from ()

    def close(self) -> None:
        self._backend.close()
