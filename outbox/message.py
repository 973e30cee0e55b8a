"""A mail as it goes over the line. What many people get alike is built once, by Django; what is one person's own is
filled into the bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cached_property, lru_cache

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address

from .kinds import Letter

PLAIN_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.ASCII)
LINE_STARTS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)
FORMS_KEPT = 2048


@dataclass(frozen=True)
class Message:
    """A letter to one address. `headers` are all but To and Subject; `return_to` is told if it cannot be delivered."""

    letter: Letter
    to: str
    return_to: str
    headers: Mapping[str, str]

    @property
    def recipient(self) -> str:
        """The bare address; a ValueError if it is none, nothing if there is none."""
        return _bare(self.to)

    @property
    def sender(self) -> str:
        return _bare(self.return_to)

    @cached_property
    def content(self) -> bytes:
        """Everything between DATA and the server's answer. A ValueError if a header cannot be written."""
        whole = self._filled_in() or _as_bytes(self.for_django)
        if not whole.endswith(b"\r\n"):
            whole += b"\r\n"
        if b"\n." in whole:  # RFC 5321 §4.5.2
            whole = LINE_STARTS_WITH_DOT.sub(b"..", whole)
        return whole + b".\r\n"

    @property
    def is_eight_bit(self) -> bool:
        return not self.content.isascii()

    @property
    def for_django(self) -> EmailMultiAlternatives:
        return _built(self.letter.as_read, self.to, self.return_to, self.headers)

    def _filled_in(self) -> bytes | None:
        """The form of this letter, filled in. None where that would not be safe: then it is built from the ground."""
        own = {**self.headers, "To": self.to}
        if not PLAIN_ADDRESS.fullmatch(self.to) or not all(map(_fits_in_a_line, own.values())):
            return None
        own |= self.letter.personal
        form = _form(self.letter, tuple(self.headers), tuple(self.letter.personal))
        if form is None:
            return None
        return b"".join([own[part].encode() if isinstance(part, str) else part for part in form])


@lru_cache(FORMS_KEPT)
def _form(blank: Letter, headers: tuple[str, ...], personal: tuple[str, ...]) -> list[bytes | str] | None:
    """The bytes of a letter with blanks, and between them the names of what goes there.

    None if a blank does not stand in it as it is, for instance because the text had to be encoded.
    """
    slots = {name: _slot(name) for name in headers}
    django = _built(blank, _slot("To"), _slot("To"), slots)
    whole = _as_bytes(django)
    wanted = dict.fromkeys((*slots.values(), _slot("To")), 1)
    wanted |= {name: blank.text.count(name) + blank.html.count(name) for name in personal}
    if any(whole.count(name.encode()) != times for name, times in wanted.items()):
        return None
    pieces = re.split(b"(" + b"|".join(re.escape(name.encode()) for name in wanted) + b")", whole)
    names = {_slot(header): header for header in (*headers, "To")}
    return [names.get(piece.decode(), piece.decode()) if number % 2 else piece for number, piece in enumerate(pieces)]


def _built(letter: Letter, to: str, return_to: str, headers: Mapping[str, str]) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=" ".join(letter.subject.split()),
        body=letter.text,
        from_email=return_to,
        to=[to],
        headers=dict(headers),
    )
    message.attach_alternative(letter.html, "text/html")
    return message


def _as_bytes(django: EmailMultiAlternatives) -> bytes:
    return django.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # the stubs leave it out


def _slot(header: str) -> str:
    """What stands in a form where the value of a header goes; an address, so that it may stand in To."""
    return f"{header.lower()}@blank.invalid"


def _fits_in_a_line(value: str) -> bool:
    return value.isascii() and value.isprintable() and len(value) < 900


@lru_cache(FORMS_KEPT)
def _bare(address: str) -> str:
    if not address or PLAIN_ADDRESS.fullmatch(address):
        return address
    return parseaddr(sanitize_address(address, "utf-8"))[1]
