"""A real IMAP server on loopback (pymap), behind TLS as hosts have it, with a certificate of our own."""

import asyncio
import ipaddress
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from imaplib import IMAP4
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.site import wait_until
from tests.smtp_server import free_port

USER, PASSWORD = "bounces@site.example", 'se/cr"et\\ %'


@dataclass
class ImapServer:
    """`certificate`: what a client has to trust."""

    plain_port: int
    tls_port: int
    certificate: Path

    def url(self, folder="INBOX", password=PASSWORD) -> str:
        return f"imaps://{quote(USER, safe='')}:{quote(password, safe='')}@127.0.0.1:{self.tls_port}/{quote(folder)}"

    @contextmanager
    def opened(self) -> Iterator[IMAP4]:
        with IMAP4("127.0.0.1", self.plain_port, timeout=10) as client:
            client.login(USER, PASSWORD)
            yield client

    def put(self, *mails: bytes, folder="INBOX") -> None:
        with self.opened() as client:
            client.create(folder)
            for mail in mails:
                status, answer = client.append(folder, "", "", mail)
                assert status == "OK", answer

    def count(self, folder="INBOX") -> int:
        with self.opened() as client:
            return int(client.select(folder, readonly=True)[1][0])


@contextmanager
def imap_server(directory: Path) -> Iterator[ImapServer]:
    server = ImapServer(free_port(), free_port(), directory / "certificate.pem")
    line = [
        Path(sys.executable).with_name("pymap"),
        "--host",
        "127.0.0.1",
        "--port",
        str(server.plain_port),
        "--no-tls",
    ]
    pymap = subprocess.Popen(
        [*line, "dict", "--demo-user", USER, "--demo-password", PASSWORD],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        with _tls_in_front(server, directory):
            wait_until(lambda: _answers(server.plain_port))
            yield server
    finally:
        pymap.kill()
        pymap.wait()


def _answers(port: int) -> bool:
    try:
        IMAP4("127.0.0.1", port, timeout=5).logout()
    except OSError:
        return False
    return True


@contextmanager
def _tls_in_front(server: ImapServer, directory: Path) -> Iterator[None]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(_certificate(server.certificate), directory / "key.pem")
    loop = asyncio.new_event_loop()

    async def pass_on(reader, writer):
        try:
            while some := await reader.read(65536):
                writer.write(some)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def connected(reader, writer):
        behind = await asyncio.open_connection("127.0.0.1", server.plain_port)
        await asyncio.gather(pass_on(reader, behind[1]), pass_on(behind[0], writer))

    # All in a thread of its own: a browser test before this one leaves a loop running in the main thread.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.start_server(connected, "127.0.0.1", server.tls_port, ssl=context)
    asyncio.run_coroutine_threadsafe(listening, loop).result(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _certificate(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a mail host")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.with_name("key.pem").write_bytes(secret)
    return path
