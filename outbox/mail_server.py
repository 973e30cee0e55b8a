"""The line to the mail server, and what its answers mean to the outbox."""

import re
import smtplib

from django.core.mail import EmailMessage, get_connection

ENHANCED_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 2034
MOST_BREAKS = 3  # in a row: then it is the server, not the message


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
    """The line broke with this message under way: nobody knows whether it arrived."""


class ServerAway(Exception):
    """Nothing can be handed over at present, which says nothing about any one message."""


class MailServer:
    """One connection, opened when first needed, kept, and opened again after it broke."""

    def __init__(self) -> None:
        self._connection = get_connection()
        self._breaks = 0

    def hand_over(self, message: EmailMessage) -> None:
        """Return once the server has taken the message; otherwise raise one of the above."""
        if self._breaks >= MOST_BREAKS:
            raise ServerAway(f"the line broke {self._breaks} times in a row")
        try:
            self._connection.open()  # does nothing while the connection stands
        except OSError as error:
            self.close()
            raise ServerAway(type(error).__name__) from error
        try:
            taken = self._connection.send_messages([message])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            self._breaks = 0
            code, words = _answer(error)
            if code == 421:  # the server has hung up
                self.close()
            raise Refused(code, words) from error
        except smtplib.SMTPSenderRefused as error:  # the sender of all our mail
            self.close()
            raise ServerAway(f"sender refused ({error.smtp_code})") from error
        except ValueError as error:  # a line break in the address, letters that have no bytes
            raise Unsendable(type(error).__name__) from error
        except OSError as error:
            self._breaks += 1
            self.close()
            raise LineBroke(type(error).__name__) from error
        if not taken:
            raise Unsendable("no address")
        self._breaks = 0

    def close(self) -> None:
        try:
            self._connection.close()
        except OSError:  # it was closed from the other side
            self._connection = get_connection()


def _answer(error: smtplib.SMTPDataError | smtplib.SMTPRecipientsRefused) -> tuple[int, bytes | str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))
    return error.smtp_code, error.smtp_error
