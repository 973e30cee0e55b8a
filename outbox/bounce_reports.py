"""Reports of mail that could not be delivered (RFC 3464), read without a database.

Which mail a report is about stands in the address it was sent to (`bounces+<token>@…`, see `return_path`). The token
holds a signature over the mail and the address it went to: only who has seen it, in that mail, can write such a report.
Where a server lost it on the way, the Message-ID of the mail it quotes takes its place. That one stands in logs as
well, so then the report must also name the address.
"""

import base64
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message
from hmac import compare_digest
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

MOST_BOUNDARIES = 20  # a report has one, the mail in it a few; reading parts within parts without end takes seconds
ADDRESSED_TO = ("X-Original-To", "Delivered-To", "Envelope-To", "To")
SALT = "outbox.bounces"
SIGNATURE_BYTES = 10
RETURNED_TO = re.compile(r"\+([a-z2-7]{42})@")
OURS = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?<(%b)@" % OURS, re.IGNORECASE | re.MULTILINE)
STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463
# Permanent, but about a full mailbox, a fault on the way, or what the mail says or who we are: not about the address.
NOT_THE_ADDRESS = ("5.2.2", "5.2.3", "5.3.", "5.5.", "5.6.", "5.7.")


class Bounce(NamedTuple):
    """A mail that did not arrive. `addresses`: where it was tried, in lower case, as far as the report says."""

    email_id: UUID
    status: str
    addresses: frozenset[str]
    signature: bytes = b""

    def is_of(self, address: str) -> bool:
        """Whether this is shown to be about the mail of that name as it went to this address."""
        return compare_digest(self.signature, _signature(self.email_id, address)) or address.lower() in self.addresses


def is_about_the_address(status: str) -> bool:
    """Whether a status (RFC 3463) says that nothing will arrive at this address, now or later."""
    return status.startswith("5.") and not status.startswith(NOT_THE_ADDRESS)


def return_path(bounce_address: str, email_id: UUID, address: str) -> str:
    """Where a report about this mail to this address goes: `bounces+<token>@example.org`.

    The token is base32, as some servers change capitals, and short: a name has 64 characters (RFC 5321 §4.5.3.1.1).
    """
    name, _at, domain = bounce_address.rpartition("@")
    token = base64.b32encode(email_id.bytes + _signature(email_id, address)).decode().rstrip("=").lower()
    return f"{name}+{token}@{domain}"


def read_bounce(raw: bytes) -> Bounce | None:
    """What a report says; None for everything else: answers, notes of absence, reports of a delay."""
    if raw.lower().count(b"boundary") > MOST_BOUNDARIES:
        return None
    try:
        report = message_from_bytes(raw, policy=policy.compat32)
        failed = [fields for fields in _recipients(report) if fields.get("Action", "").strip().lower() == "failed"]
    except RecursionError:  # parts within parts, some hundred deep: nobody's report
        return None
    if not failed:
        return None
    found = _token_in_address(report) or _id_in_quoted_mail(raw)
    if found is None:
        return None
    email_id, signature = found
    statuses = [said.group() for fields in failed if (said := STATUS.search(fields.get("Status", "")))]
    addresses = frozenset(filter(None, map(_address, failed)))
    return Bounce(email_id, max(statuses, default="5.0.0"), addresses, signature)


def _signature(email_id: UUID, address: str) -> bytes:
    value = email_id.bytes + address.lower().encode()
    return salted_hmac(SALT, value, secret=settings.SECRET_KEY, algorithm="sha256").digest()[:SIGNATURE_BYTES]


def _recipients(report: Message) -> Iterator[dict[str, str]]:
    """The fields of each recipient; the first block of a report is about the message as a whole."""
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            blocks: list[Message] = part.get_payload()[1:]  # type: ignore[index, assignment]  # a list: it has parts
            for block in blocks:
                yield {name.title(): str(value) for name, value in block.items()}


def _address(fields: dict[str, str]) -> str:
    """Of `rfc822; mia@example.org`, the address as we gave it, else the one it was passed on to."""
    said = fields.get("Original-Recipient") or fields.get("Final-Recipient") or ""
    return said.rpartition(";")[2].strip(" \t\r\n<>").lower()


def _token_in_address(report: Message) -> tuple[UUID, bytes] | None:
    for name in ADDRESSED_TO:
        for value in report.get_all(name, []):
            if found := RETURNED_TO.search(str(value).lower()):
                token = base64.b32decode(found.group(1).upper() + "======")
                return UUID(bytes=token[:16]), token[16:]
    return None


def _id_in_quoted_mail(raw: bytes) -> tuple[UUID, bytes] | None:
    """The last Message-ID with an id of ours: the report's own comes first and is not one."""
    found = MESSAGE_ID.findall(raw)
    return (UUID(found[-1].decode()), b"") if found else None
