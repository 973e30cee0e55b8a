"""The whole site as it runs for people: gunicorn, a worker, beat and the mail catcher, on the database of the test."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from django.db import connection

from recovery_groups import processes

CHECKOUT = Path(__file__).resolve().parent.parent
BROKER_DATABASE = 15  # of the test run's own broker; other tests use others


@dataclass
class Mail:
    subject: str
    text: str
    html: str
    headers: dict[str, str]

    @property
    def code(self) -> str:
        found = re.search(r"^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", self.text, re.MULTILINE)
        assert found, f"no code in: {self.text}"
        return found.group(1)

    @property
    def links(self) -> set[str]:
        """Every address in the mail, those of its headers too."""
        everything = " ".join([unescape(self.html), self.text, *self.headers.values()])
        return set(re.findall(r"https?://[^\s<>\"')]+", everything))

    @property
    def one_click(self) -> str:
        """Where a mail program unsubscribes (RFC 8058)."""
        assert self.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        return self.headers["List-Unsubscribe"].strip("<>")

    @property
    def answer_link(self) -> str:
        found = re.search(r"https?://\S+/m/\S+", self.text)
        assert found, f"no link in: {self.text}"
        return found.group()


@dataclass
class Site:
    url: str
    mail_url: str

    def mails_to(self, address: str) -> list[Mail]:
        """Oldest first."""
        with urlopen(f"{self.mail_url}/messages.json") as answer:
            found = json.load(answer)
        mine = [mail for mail in found if address in mail["to"]]
        return [Mail(mail["subject"], mail["text"], mail["html"], mail["headers"]) for mail in reversed(mine)]

    def wait_for_mail(self, address: str, subject: str, seconds: float = 30) -> Mail:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in self.mails_to(address):
                if re.search(subject, mail.subject):
                    return mail
            time.sleep(0.2)
        raise AssertionError(f"no mail “{subject}” to {address}: {self.mails_to(address)}")


@contextmanager
def running_site(directory: Path) -> Iterator[Site]:
    """Start the four processes by the command lines of the project; stop them all afterwards."""
    web, smtp, mail = (free_port() for _ in range(3))
    site = Site(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{mail}")
    environment = os.environ | {
        "LOCAL": "on",
        "STAFF_MFA_REQUIRED": "on",
        "DATABASE_URL": database_url(),
        "REDIS_URL": re.sub(r"virtual_host=\d+", f"virtual_host={BROKER_DATABASE}", os.environ["REDIS_URL"]),
        "SITE_URL": site.url,
        "CSRF_TRUSTED_ORIGINS": site.url,
        "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{web}",
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
        "MAIL_SMTP_PORT": str(smtp),
        "MAIL_WEB_PORT": str(mail),
        "MAIL_DIRECTORY": str(directory / "mail"),
        "TICK_SECONDS": "2",
    }
    running = []
    try:
        for name, command in processes.COMMANDS.items():
            with (directory / f"{name}.log").open("wb") as log:
                running.append(subprocess.Popen(command.split(), cwd=CHECKOUT, env=environment, stdout=log, stderr=log))
        wait_until_it_answers(f"{site.url}/healthz")
        wait_until_it_answers(f"{site.mail_url}/messages.json")
        yield site
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            try:
                process.wait(60)  # a machine that is busy takes its time
            except subprocess.TimeoutExpired:  # seen once of beat: it had not heard the first word
                process.terminate()
                process.wait(60)


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.2)


def database_url() -> str:
    """Where the test's own database is, for another process."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return address._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urlopen(url, timeout=2).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
