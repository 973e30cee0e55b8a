"""Real workers and beats, with the command lines that run in production."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis
from celery import current_app
from django.db import connection

from recovery_groups import processes
from tests.smtp_server import SmtpServer

CHECKOUT = Path(__file__).parents[2]


def key_prefix() -> str:
    """A corner of the broker for this test process."""
    return f"{connection.settings_dict['NAME']}-{os.getpid()}:"


def site_environment(smtp: SmtpServer) -> dict[str, str]:
    return {
        **os.environ,
        "LOCAL": "on",
        "DJANGO_SETTINGS_MODULE": "tests.outbox.site_settings",
        "TEST_DATABASE": connection.settings_dict["NAME"],
        "TEST_KEY_PREFIX": key_prefix(),
        "EMAIL_URL": smtp.url,
        "PYTHONPATH": str(CHECKOUT),
    }


class Processes:
    """Starts workers and beats and sees to it that none outlives the test."""

    def __init__(self, smtp: SmtpServer, logs: Path):
        self.environment = site_environment(smtp)
        self.logs = logs
        self.running: list[subprocess.Popen] = []

    def worker(self, *, connections: int = 2) -> subprocess.Popen:
        return self._start(processes.WORKER.replace("--concurrency 4", f"--concurrency {connections}"))

    def beat(self) -> subprocess.Popen:
        return self._start(processes.BEAT)

    def kill(self, process: subprocess.Popen) -> None:
        """kill -9, with all its children, as when a machine dies."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.running.remove(process)

    def kill_all(self) -> None:
        for process in list(self.running):
            self.kill(process)

    def said(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()}" for log in sorted(self.logs.glob("*.log")))

    def worker_without(self, guard: str) -> subprocess.Popen:
        """A worker with one guard off, for a negative control: see `unguarded`."""
        self.environment["WITHOUT"] = guard
        return self._start(processes.WORKER.replace("-A recovery_groups", "-A tests.outbox.unguarded"))

    def _start(self, command: str) -> subprocess.Popen:
        log = self.logs / f"{len(list(self.logs.glob('*.log')))}-{command.split()[3]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *shlex.split(command)],
                cwd=CHECKOUT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        return process


def send_task(name: str, times: int = 1) -> None:
    """Deliver the very same message so many times, as a broker does that believes a worker died."""
    task_id = os.urandom(8).hex()
    with current_app.connection_for_write(transport_options={"global_keyprefix": key_prefix()}) as broker:
        for _delivery in range(times):
            current_app.send_task(name, task_id=task_id, connection=broker)


def flush_broker() -> int:
    """What FLUSHALL does, in our corner."""
    with current_app.connection_for_write() as broker:
        client = redis.Redis(connection_pool=broker.default_channel.client.connection_pool)
        keys = list(client.scan_iter(f"{key_prefix()}*"))
        return client.delete(*keys) if keys else 0


def wait_until(condition: Callable[[], object], seconds: float, what_else: Callable[[], str] = str) -> None:
    stop_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > stop_at:
            raise AssertionError(f"not so after {seconds} s\n{what_else()}")
        time.sleep(0.05)
