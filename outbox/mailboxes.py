"""Mailboxes that are read by the site: a maildir on this machine, or a folder on an IMAP server."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

PATIENCE = 30  # seconds for each answer of a server
MOST_BYTES = 256 * 1024  # of each mail: what it says stands at its beginning


class NoMailbox(Exception):
    """There is no such mailbox, or it does not let us in. Says why, and no password."""


class Mailbox(Protocol):
    def mails(self) -> Iterator[tuple[str, bytes]]:
        """The mails, newest first: a key and how each begins."""

    def take_away(self, key: str) -> None:
        """Remove one, which may be gone already."""


def open_mailbox(where: str) -> AbstractContextManager[Mailbox]:
    """`imaps://user:password@host/folder`, or the path of a maildir."""
    if "://" in where:
        return _imap_folder(where)
    return _maildir(Path(where))


class Maildir:
    def __init__(self, path: Path):
        self.path = path

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """Only plain files: nothing to wait at, and no way out of the folder."""
        found = [file for name in ("new", "cur") for file in (self.path / name).iterdir() if not file.is_symlink()]
        for file in sorted((file for file in found if file.is_file()), key=lambda file: file.name, reverse=True):
            try:
                with file.open("rb") as mail:
                    raw = mail.read(MOST_BYTES)
            except OSError:  # somebody else has moved it, or it is not for us
                continue
            yield str(file), raw

    def take_away(self, key: str) -> None:
        Path(key).unlink(missing_ok=True)


@contextmanager
def _maildir(path: Path) -> Iterator[Maildir]:
    if not ((path / "new").is_dir() and (path / "cur").is_dir()):
        raise NoMailbox(f"{path} is no maildir: it has no folders “new” and “cur”.")
    yield Maildir(path)


class ImapFolder:
    def __init__(self, server: imaplib.IMAP4):
        self.server = server
        _status, (able_to,) = server.capability()  # more than before signing in, which is what imaplib remembers
        self.erases_single_mails = "UIDPLUS" in able_to.decode().upper().split()

    def mails(self) -> Iterator[tuple[str, bytes]]:
        _status, (uids,) = self.server.uid("SEARCH", "UNDELETED")
        for uid in reversed((uids or b"").decode().split()):
            _status, parts = self.server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
            raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
            if raw is not None:  # else somebody else has taken it
                yield uid, raw

    def take_away(self, key: str) -> None:
        """Erase this one alone; where the server cannot (RFC 4315), it stays marked as deleted."""
        self.server.uid("STORE", key, "+FLAGS.SILENT", r"(\Deleted)")
        if self.erases_single_mails:
            self.server.uid("EXPUNGE", key)


@contextmanager
def _imap_folder(where: str) -> Iterator[ImapFolder]:
    try:
        address = urlsplit(where)
        port = address.port or 993
    except ValueError as error:
        raise NoMailbox("This is no address of a mailbox. Write imaps://user:password@host/folder.") from error
    user, password = unquote(address.username or ""), unquote(address.password or "")
    folder = unquote(address.path.strip("/")) or "INBOX"
    if address.scheme != "imaps" or not (address.hostname and user and (user + password + folder).isprintable()):
        raise NoMailbox("Write imaps://user:password@host/folder: the line must be one nobody reads along.")
    try:
        with imaplib.IMAP4_SSL(
            address.hostname, port, ssl_context=ssl.create_default_context(), timeout=PATIENCE
        ) as server:
            server.login(user, password)
            status, _answer = server.select(_quoted(folder))
            if status != "OK":
                raise NoMailbox(f"{address.hostname}:{port} has no folder {folder}.")
            yield ImapFolder(server)
    except imaplib.IMAP4.error as error:
        raise NoMailbox(f"{address.hostname}:{port} says: {error}") from error
    except UnicodeEncodeError as error:
        raise NoMailbox("User, password and folder can have plain letters only.") from error
    except OSError as error:
        raise NoMailbox(f"{address.hostname}:{port} cannot be read: {error.strerror or error}") from error


def _quoted(text: str) -> str:
    """RFC 9051 §4.3."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
