"""Debian's Postfix as the mail server of a test: takes mail on loopback, puts it into maildirs, and sends real reports
of what it could not deliver. It starts as root only."""

import mailbox
import os
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_binary_file, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.site import free_port

NOBODY = 65534
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
gone unix - n n - - pipe user=nobody argv={directory}/gone
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`known` have a mailbox, `gone` are taken and reported as unknown afterwards; others are refused at once."""

    def __init__(self, directory: Path, *, domains: list[str], known: list[str], gone: list[str]):
        self.directory = directory
        self.port = free_port()
        self._write(domains, known, gone)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def maildir(self, address: str) -> Path:
        return self.directory / "mail" / address

    def mails_to(self, address: str) -> list[EmailMessage]:
        if not self.maildir(address).exists():
            return []
        read = mailbox.Maildir(self.maildir(address), create=False, factory=None)
        return [message_from_binary_file(read.get_file(key), policy=policy.default) for key in read.iterkeys()]

    def run(self, command: str) -> None:
        subprocess.run(["postfix", "-c", self.directory / "etc", command], check=True, capture_output=True)

    def _write(self, domains: list[str], known: list[str], gone: list[str]) -> None:
        here = self.directory
        here.chmod(0o755)
        for name in ("etc", "queue", "data", "mail"):
            (here / name).mkdir()
        shutil.chown(here / "data", "postfix")
        os.chown(here / "mail", NOBODY, NOBODY)
        (here / "etc" / "master.cf").write_text(MASTER.format(port=self.port, directory=here).lstrip())
        (here / "etc" / "mailboxes").write_text("".join(f"{address} {address}/\n" for address in [*known, *gone]))
        (here / "etc" / "transports").write_text("".join(f"{address} gone:\n" for address in gone))
        (here / "gone").write_text("#!/bin/sh\nexit 67\n")  # EX_NOUSER: taken first, then nobody of that name is there
        (here / "gone").chmod(0o755)
        (here / "etc" / "main.cf").write_text(
            textwrap.dedent(f"""\
            compatibility_level = 3.6
            queue_directory = {here}/queue
            data_directory = {here}/data
            maillog_file = {here}/log
            maillog_file_prefixes = {here}
            myhostname = mail.example
            mydestination =
            inet_interfaces = 127.0.0.1
            inet_protocols = ipv4
            alias_maps =
            local_recipient_maps =
            smtpd_tls_security_level = none
            recipient_delimiter = +
            transport_maps = texthash:{here}/etc/transports
            virtual_mailbox_domains = {", ".join(domains)}
            virtual_mailbox_base = {here}/mail
            virtual_mailbox_maps = texthash:{here}/etc/mailboxes
            virtual_uid_maps = static:{NOBODY}
            virtual_gid_maps = static:{NOBODY}
            """)
        )


@contextmanager
def postfix(**addresses: list[str]) -> Iterator[Postfix]:
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("Postfix starts as root only; CI runs this.")
    if not shutil.which("postfix"):
        pytest.fail("Postfix is not installed: sudo apt install postfix", pytrace=False)
    with tempfile.TemporaryDirectory(prefix="postfix-") as directory:
        server = Postfix(Path(directory), **addresses)
        server.run("start")
        try:
            yield server
        finally:
            server.run("stop")
