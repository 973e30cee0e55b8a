"""100 000 reminders planned, claimed, written, sent and marked one by one, by the worker as it runs for people, beside
Debian's `smtp-source`, which says the same mail again and again over four connections: 0.2 times as fast; better, 0.3.
Both into `smtp-sink`. Few tasks do it, and a worker that sent them all needs no more memory than one that sent 1000.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from celery import current_app
from django.core.management.base import CommandError
from django.db import connection

from meetings import services
from outbox.models import Email
from recovery_groups import processes

from . import serving, town

MAILS = 100_000
FEW = 1_000
MOST_ROUNDS = 3  # each sends them all
MAILS_PER_TASK = 500
MEMORY_MAY_GROW = 1.15
LETTER = 1700  # bytes, as ours have
CONNECTIONS = 4
START_SECONDS = 60
SEND_SECONDS = 900


@dataclass(frozen=True)
class Sink:
    port: int
    log: Path

    @property
    def taken(self) -> int:
        """How many mails it took so far: it counts them on its screen."""
        return max(map(int, re.findall(rb"mesg=\s*(\d+)", _end_of(self.log))), default=0)


@dataclass(frozen=True)
class Worker:
    pid: int
    log: Path

    @property
    def tasks(self) -> int:
        return self.log.read_text().count("outbox.tasks.deliver_outbox")

    @property
    def megabytes(self) -> int:
        """The most that any of its processes ever held; 0 where the system does not tell."""
        most = [_most_held(status.read_text()) for status in self._processes()]
        return max(most, default=0)

    def _processes(self) -> Iterator[Path]:
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):
                if f"\nPPid:\t{self.pid}\n" in status.read_text():
                    yield status


def _most_held(status: str) -> int:
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


def _end_of(log: Path) -> bytes:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 1000))
        return file.read()


def run(*, seconds: float, rounds: int, size: int = MAILS) -> dict:
    """However long it takes: `seconds` is not looked at."""
    source, sink = _program("smtp-source"), _program("smtp-sink")
    people = town.with_reminders_due(size)
    with _sink(sink) as taker, _worker(taker) as worker:
        few = min(FEW, size)
        town.agree_to_reminders(people[:few])
        _all_sent(few, taker)
        memory_before = worker.megabytes
        town.agree_to_reminders(people[few:])
        measured = serving.compare(
            lambda: _said_again_and_again(source, taker, size),
            lambda: _all_sent(size, taker),
            rounds=min(rounds, MOST_ROUNDS),
        )
        mails = few + size * (1 + min(rounds, MOST_ROUNDS))
        memory = {few: memory_before, size: worker.megabytes}
        tasks = worker.tasks
    verdict = serving.verdict(measured, at_least=0.2, stretch=0.3)
    found = {"mails per task": mails // tasks, "megabytes after": memory}
    is_lean = memory[size] <= memory_before * MEMORY_MAY_GROW and (size < MAILS or mails >= tasks * MAILS_PER_TASK)
    return verdict | found | {"holds": verdict["holds"] and is_lean}


def has_what_it_needs() -> bool:
    return bool(_find("smtp-source") and _find("smtp-sink"))


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def _program(name: str) -> str:
    found = _find(name)
    if not found:
        raise CommandError(f"{name} is not here. It comes with Postfix: sudo apt install postfix (“No configuration”).")
    return found


def _all_sent(mails: int, sink: Sink) -> float:
    """Reminders per second, from asking who is due until the last is marked as sent; an error if one is missing."""
    Email.objects.all().delete()
    town.settle()
    before = sink.taken
    began = time.perf_counter()
    queued = services.queue_due_reminders()
    while Email.objects.waiting().exists():
        if time.perf_counter() - began > SEND_SECONDS:
            raise RuntimeError(f"{Email.objects.waiting().count()} of {mails} still wait.")
        time.sleep(0.1)
    took = time.perf_counter() - began
    sent = Email.objects.filter(state=Email.State.SENT).count()
    if (queued, sent, sink.taken - before) != (mails, mails, mails):
        raise RuntimeError(f"{queued} were due, {sent} are sent and {sink.taken - before} arrived, of {mails}.")
    return mails / took


def _said_again_and_again(source: str, sink: Sink, mails: int) -> float:
    how = ["-d", "-s", str(CONNECTIONS), "-m", str(mails), "-l", str(LETTER)]
    began = time.perf_counter()
    subprocess.run([source, *how, f"{serving.HOST}:{sink.port}"], check=True, capture_output=True)
    return mails / (time.perf_counter() - began)


@contextmanager
def _sink(program: str) -> Iterator[Sink]:
    """A mail server that says yes to all and forgets it."""
    port = serving._free_port()
    who = ["-u", "nobody"] if os.geteuid() == 0 else []
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        running = subprocess.Popen(
            ["stdbuf", "-o0", program, "-c", *who, f"{serving.HOST}:{port}", "100"], stdout=log, stderr=log
        )
        try:
            serving._wait_for(port, running)
            yield Sink(port, Path(log.name))
        finally:
            running.terminate()
            running.wait(30)


@contextmanager
def _worker(sink: Sink) -> Iterator[Worker]:
    """The worker as it runs for people, with a corner of the broker to itself; we speak to it there."""
    corner = {"global_keyprefix": f"{connection.settings_dict['NAME']}:"}
    surroundings = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.site_settings",
        "BENCH_KEY_PREFIX": corner["global_keyprefix"],
        "LOCAL": "on",
        "DATABASE_URL": serving.database_url(),
        "EMAIL_URL": f"smtp://{serving.HOST}:{sink.port}",
    }
    usual = current_app.conf.broker_transport_options
    current_app.conf.broker_transport_options = usual | corner
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", *processes.WORKER.split()],
            cwd=serving.CHECKOUT,
            env=surroundings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        worker = Worker(running.pid, Path(log.name))
        try:
            _wait_until_ready(worker)
            yield worker
        finally:
            running.terminate()
            running.wait(60)
            current_app.conf.broker_transport_options = usual


def _wait_until_ready(worker: Worker) -> None:
    deadline = time.monotonic() + START_SECONDS
    while " ready." not in worker.log.read_text():
        if time.monotonic() > deadline:
            raise RuntimeError(f"The worker is not ready: {worker.log.read_text()}")
        time.sleep(0.1)
