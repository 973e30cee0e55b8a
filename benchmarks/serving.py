"""Servers as they run for people, and as many requests as they answer."""

import os
import selectors
import socket
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, repeat
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from django.db import connection

from recovery_groups import processes

CHECKOUT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
OURS = "recovery_groups.wsgi"
BARE = "benchmarks.bare"
PROCESSES = 2
CONNECTIONS = 8  # kept alive, so that the server never waits for the client
START_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class OtherAnswer(Exception):
    """The server answered something that was not asked for."""


@dataclass(frozen=True)
class Ask:
    """What to send: a GET, or with a form a POST."""

    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] | None = None

    @property
    def message(self) -> bytes:
        method, body, headers = "GET", "", self.headers
        if self.form is not None:
            method, body = "POST", urlencode(self.form)
            headers = headers | {
                "Content-Type": "application/x-www-form-urlencoded",
                "Content-Length": str(len(body)),
            }
        lines = [f"{method} {self.path} HTTP/1.1", f"Host: {HOST}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@contextmanager
def server(site: str = OURS, **environment: str) -> Iterator[int]:
    """The web process of the project, or that of another site, on the database of this benchmark; gives its port."""
    port = _free_port()
    surroundings = os.environ | {
        "DJANGO_SETTINGS_MODULE": "recovery_groups.settings",
        "LOCAL": "on",
        "DATABASE_URL": database_url(),
        "SITE_URL": f"http://{HOST}:{port}",
        "ALLOWED_HOSTS": HOST,
        "WEB_CONCURRENCY": str(PROCESSES),
        "GUNICORN_CMD_ARGS": f"--bind {HOST}:{port} --log-level warning",
    }
    running = subprocess.Popen(processes.WEB.replace(OURS, site).split(), cwd=CHECKOUT, env=surroundings | environment)
    try:
        _wait_for(port, running)
        yield port
    finally:
        running.terminate()
        running.wait(30)


def database_url() -> str:
    """Where the database of this benchmark is, for another process."""
    address = urlsplit(os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1/"))
    return address._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def get(ask: Ask) -> Answer:
    """One answer, to look at."""
    with socket.create_connection((HOST, ask.port), timeout=30) as line:
        line.sendall(ask.message)
        received = b""
        while (size := _size_of(received)) is None or len(received) < size:
            more = line.recv(1 << 20)
            if not more:
                raise ConnectionError(f"{ask.path} was cut off after {len(received)} bytes.")
            received += more
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def rate(ask: Ask, *, seconds: float, status: int = 200) -> float:
    """Answers per second over several connections kept alive. Anything but `status` is an error."""
    return rate_of(repeat(ask), seconds=seconds, status=status)


def rate_of(asks: Iterable[Ask], *, seconds: float, status: int = 200, connections: int = CONNECTIONS) -> float:
    """The same for one question after the other, for so long or until there are no more."""
    answered, took = _drive(iter(asks), seconds, connections)
    if set(answered) != {status}:
        raise OtherAnswer(f"Answered {dict(answered)} instead of {status}.")
    return answered[status] / took


def compare(baseline: Callable[[], float], ours: Callable[[], float], *, rounds: int) -> dict:
    """Both in turn, round by round after one to warm up; the ratio is the median of the rounds' ratios."""
    baseline(), ours()
    pairs = [(baseline(), ours()) for _ in range(rounds)]
    return {
        "ratio": round(statistics.median(mine / theirs for theirs, mine in pairs), 3),
        "baseline": round(statistics.median(theirs for theirs, _ in pairs), 1),
        "ours": round(statistics.median(mine for _, mine in pairs), 1),
        "rounds": [round(mine / theirs, 3) for theirs, mine in pairs],
    }


def median_ms(do: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        took.append(time.perf_counter() - began)
    return 1000 * statistics.median(took)


def verdict(measured: dict, *, at_least: float, stretch: float | None = None) -> dict:
    """The measured ratio with what was asked of it."""
    return measured | {"at_least": at_least, "stretch": stretch, "holds": measured["ratio"] >= at_least}


# One thread drives all connections: it is told when something arrived, and asks again as soon as an answer is whole.
# Unlike people, it does not wait for an answer to be shown.


class _Line:
    def __init__(self, ask: Ask):
        self.connect(ask.port)
        self.send(ask)

    def connect(self, port: int) -> None:
        self.port = port
        self.socket = socket.create_connection((HOST, port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.size: int | None = None

    def send(self, ask: Ask) -> None:
        self.received.clear()
        self.size = None
        self.asked = ask
        self.socket.sendall(ask.message)

    def take(self) -> int | None:
        """The status once an answer is whole, None before that, 0 if the server hung up."""
        more = self.socket.recv(1 << 20)
        if not more:
            return 0
        self.received += more
        if self.size is None:
            self.size = _size_of(bytes(self.received))
        if self.size is None or len(self.received) < self.size:
            return None
        return int(self.received[9:12])


def _drive(asks: Iterator[Ask], seconds: float, connections: int) -> tuple[Counter, float]:
    """How often each status was answered until the time was over or everything was asked, and how long that took."""
    answered = Counter[int]()
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        lines = [_Line(ask) for ask in islice(asks, connections)]
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        busy = set(lines)
        now = began
        while busy and (now - began < seconds or not answered):
            for key, _ in selector.select(1):
                line = key.data
                status = line.take()
                if status is None:
                    continue
                if status:
                    answered[status] += 1
                    ask = next(asks, None)
                else:  # a process of the server was renewed
                    selector.unregister(line.socket)
                    line.socket.close()
                    line.connect(line.port)
                    selector.register(line.socket, selectors.EVENT_READ, line)
                    ask = line.asked
                if ask is None:
                    selector.unregister(line.socket)
                    busy.discard(line)
                else:
                    line.send(ask)
            now = time.perf_counter()
        _finish(selector, busy)
        for line in lines:
            line.socket.close()
    return answered, now - began


def _finish(selector: selectors.BaseSelector, waiting: set[_Line]) -> None:
    """Let the last answers come in, so that the next round does not pay for this one."""
    deadline = time.perf_counter() + 10
    while waiting and time.perf_counter() < deadline:
        for key, _ in selector.select(1):
            if key.data.take() is not None:
                selector.unregister(key.fileobj)
                waiting.discard(key.data)


def _size_of(received: bytes) -> int | None:
    """How long the whole answer is, None before its head is there. A 304 has no body."""
    head, found, _ = received.partition(b"\r\n\r\n")
    if not found:
        return None
    words = head.lower()
    if words[9:12] == b"304" or b"\r\ncontent-length: " not in words:
        return len(head) + 4
    return len(head) + 4 + int(words.split(b"\r\ncontent-length: ", 1)[1].split(b"\r\n", 1)[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, running: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            if running.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
