"""Takes every mail the site sends on this machine and shows it on a page, instead of sending it.

For development and demonstration. SMTP on MAIL_SMTP_PORT (1025), a page to read it on MAIL_WEB_PORT (8025), both on the
loopback interface unless MAIL_BIND names another (in a container). Mails are files in a Maildir at MAIL_DIRECTORY.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import sys
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
SHOWN = 200
LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# A mail is a stranger's page: it may look as it likes, and neither run nor load anything.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; frame-ancestors 'self'"
)


class Mailbox:
    """A Maildir: one file a mail, named by the time it came."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._count = itertools.count()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("tmp", "new", "cur"):
            (directory / name).mkdir(exist_ok=True)

    def add(self, content: bytes) -> None:
        name = f"{time.time_ns()}.{os.getpid()}_{next(self._count)}.mail"
        (self.directory / "tmp" / name).write_bytes(content)
        (self.directory / "tmp" / name).rename(self.directory / "new" / name)

    def newest(self, count: int | None) -> list[str]:
        names = sorted((path.name for path in (self.directory / "new").glob("*.mail")), key=_arrived_at, reverse=True)
        return names[:count]

    def read(self, name: str) -> EmailMessage | None:
        if not re.fullmatch(r"\d+\.\d+_\d+\.mail", name):
            return None
        try:
            content = (self.directory / "new" / name).read_bytes()
        except FileNotFoundError:
            return None
        return message_from_bytes(content, policy=policy.default)


class Receiver:
    """What aiosmtpd calls for each mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        lines = [f"X-Envelope-From: {envelope.mail_from}", *(f"X-Envelope-To: {to}" for to in envelope.rcpt_tos)]
        content = envelope.original_content or b""
        self.mailbox.add("".join(f"{line}\r\n" for line in lines).encode() + content)
        return "250 Kept on this machine"


class Pages(BaseHTTPRequestHandler):
    mailbox: Mailbox
    hosts: frozenset[str] | None  # names we answer to; None: any

    def do_GET(self) -> None:
        # A page elsewhere whose name is made to point here must not read the mail.
        if self.hosts is not None and _host_name(self.headers.get("Host", "")) not in self.hosts:
            return self._answer("Wrong host.", "text/plain", status=HTTPStatus.FORBIDDEN)
        address = urlsplit(self.path)
        question = {name: values[-1] for name, values in parse_qs(address.query).items()}
        match address.path.strip("/").split("/"):
            case [""]:
                self._answer(list_page(self.mailbox), "text/html")
            case ["style.css"]:
                self._answer(STYLE, "text/css")
            case ["messages.json"]:
                self._answer(json.dumps(list_data(self.mailbox, **_known(question)), indent=1), "application/json")
            case ["messages", name] if mail := self.mailbox.read(name):
                self._answer(mail_page(name, mail), "text/html")
            case ["messages", name, "html"] if mail := self.mailbox.read(name):
                page = f'<!doctype html><meta charset="utf-8"><base target="_blank">{part(mail, "html")}'
                self._answer(page, "text/html", content_policy=MAIL_POLICY)
            case _:
                self._answer("There is no such page.", "text/plain", status=HTTPStatus.NOT_FOUND)
        return None

    def _answer(
        self, body: str, kind: str, *, status: HTTPStatus = HTTPStatus.OK, content_policy: str = PAGE_POLICY
    ) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", content_policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: who reads what is nobody's business."""


def list_data(mailbox: Mailbox, *, to: str = "", limit: str = "") -> list[dict[str, Any]]:
    """The mails as tests want them, newest first: `to` one recipient, at most `limit` of them."""
    found = []
    for name in mailbox.newest(None):
        mail = mailbox.read(name)
        if mail is None or (to and to not in mail.get_all("X-Envelope-To", [])):
            continue
        found.append(
            {
                "id": name,
                "at": datetime.fromtimestamp(_arrived_at(name) / 1e9, UTC).isoformat(),
                "to": str(mail["To"] or ""),
                "recipients": [str(value) for value in mail.get_all("X-Envelope-To", [])],
                "subject": str(mail["Subject"] or ""),
                "headers": {key: str(value) for key, value in mail.items()},
                "text": part(mail, "plain"),
                "html": part(mail, "html"),
            }
        )
        if limit.isdigit() and len(found) >= int(limit):
            break
    return found


def list_page(mailbox: Mailbox) -> str:
    rows = []
    for name in mailbox.newest(SHOWN):
        if mail := mailbox.read(name):
            rows.append(
                f'<li><a href="/messages/{name}"><span class="what">{_shown(mail["Subject"])}</span>'
                f'<span class="who">To {_shown(mail["To"])}</span>{_time(name)}</a></li>'
            )
    none = "<p>No mail yet. When the site sends one, it waits here.</p>"
    body = f'<ol class="mails">{"".join(rows)}</ol>' if rows else none
    count = f"The newest {SHOWN} mails" if len(rows) == SHOWN else f"{len(rows)} mail{'s' * (len(rows) != 1)}"
    return _page("Mail", f'<h1>Mail</h1><p class="soft">{count}. <a href="/">Check again</a></p>{body}')


def mail_page(name: str, mail: EmailMessage) -> str:
    headers = "".join(f"<dt>{escape(key)}</dt><dd>{_shown(value)}</dd>" for key, value in mail.items())
    text, html = part(mail, "plain"), part(mail, "html")
    subject = str(mail["Subject"] or "(no subject)")
    body = f'<p><a href="/">All mail</a></p><h1>{escape(subject)}</h1>'
    body += f'<p class="soft">To {_shown(mail["To"])}, from {_shown(mail["From"])}, {_time(name)}</p>'
    body += (
        f"<h2>Text</h2><pre>{_with_links(text)}</pre>" if text else "<h2>Text</h2><p>This mail has no text part.</p>"
    )
    if html:
        body += f'<h2>HTML</h2><iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="The mail as HTML" \
src="/messages/{name}/html"></iframe><details><summary>HTML source</summary><pre>{escape(html)}</pre></details>'
    return _page(subject, f"{body}<details><summary>Headers</summary><dl>{headers}</dl></details>")


def part(mail: EmailMessage, kind: str) -> str:
    """The text of one kind (`plain` or `html`), empty if the mail has none."""
    found = mail.get_body(preferencelist=(kind,))
    if found is None:
        return ""
    try:
        return str(found.get_content())
    except (LookupError, UnicodeError):
        return found.get_payload(decode=True).decode(errors="replace")  # type: ignore[union-attr]  # a part with text


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/style.css"></head>'
        f"<body><main>{body}</main></body></html>"
    )


def _with_links(text: str) -> str:
    shown, end = [], 0
    for found in LINK.finditer(text):
        link = escape(found.group())
        shown += [escape(text[end : found.start()]), f'<a href="{link}" target="_blank" rel="noreferrer">{link}</a>']
        end = found.end()
    return "".join([*shown, escape(text[end:])])


def _shown(value: object) -> str:
    return escape(str(value or "(none)"))


def _time(name: str) -> str:
    at = datetime.fromtimestamp(_arrived_at(name) / 1e9).astimezone()
    return f'<time datetime="{at.isoformat()}">{at:%a %d %b %H:%M:%S}</time>'


def _arrived_at(name: str) -> int:
    return int(name.split(".")[0])


def _host_name(host: str) -> str:
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host


def _known(question: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in question.items() if name in ("to", "limit")}


STYLE = """
:root { color-scheme: light dark; --paper: #fbf9f5; --card: #fff; --ink: #22303a; --soft: #55636d; --accent: #1f6a67;
  --line: #d9d4c9 }
@media (prefers-color-scheme: dark) { :root { --paper: #141a1e; --card: #1c2429; --ink: #ece8df; --soft: #a9b4ba;
  --accent: #7ccbc2; --line: #36434b } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 18px/1.55 system-ui, sans-serif }
main { max-width: 44rem; margin: 0 auto; padding: 16px }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere } h2 { font-size: 1.25rem }
a { color: var(--accent) } .soft, time, .who { color: var(--soft) }
.mails { list-style: none; padding: 0 }
.mails a { display: block; padding: 12px 16px; margin: 8px 0; min-height: 44px; border-radius: 12px;
  background: var(--card); border: 1px solid var(--line); text-decoration: none; overflow-wrap: anywhere }
.mails span, .mails time { display: block } .what { color: var(--ink); font-weight: 600 }
pre, dl, iframe { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: 1rem }
iframe { box-sizing: border-box; width: 100%; height: 30rem; padding: 0; background: #fff; color-scheme: light }
dt { font-weight: 600 } dd { margin: 0 0 8px; overflow-wrap: anywhere }
summary { min-height: 44px; line-height: 44px; cursor: pointer }
"""


def main() -> int:
    bind = os.environ.get("MAIL_BIND") or LOOPBACK
    smtp_port = int(os.environ.get("MAIL_SMTP_PORT", "1025"))
    web_port = int(os.environ.get("MAIL_WEB_PORT", "8025"))
    mailbox = Mailbox(Path(os.environ.get("MAIL_DIRECTORY", ".local/mail")))
    Pages.mailbox = mailbox
    Pages.hosts = None if bind != LOOPBACK else frozenset({LOOPBACK, "localhost"})
    try:
        pages = ThreadingHTTPServer((bind, web_port), Pages)
        smtp = Controller(Receiver(mailbox), hostname=bind, port=smtp_port)
        smtp.start()
    except OSError as error:
        sys.stderr.write(f"The mail catcher cannot listen on {bind}, ports {smtp_port} and {web_port}: {error}\n")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.stderr.write(f"Mail for {bind}:{smtp_port} can be read at http://{bind}:{web_port}/\n")
    try:
        pages.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        smtp.stop()
        pages.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
