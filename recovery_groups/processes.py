"""The processes of one installation: their command lines, and how to run them together on one machine.

`./dev run`, `docker-compose.yml` and `docs/operations.md` use these very lines; a test compares them.
Standard library only, like everything that `./dev` needs before the site runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

# gunicorn itself reads PORT, and WEB_CONCURRENCY for the number of its processes. The site is loaded once, before they
# part: sooner up and less memory. A request that takes 30 s is cut off.
# Its processes are renewed now and then, against memory that only grows. Its control socket lies in the home directory,
# which two sites would share and a container does not have: left out.
WEB = (
    "gunicorn recovery_groups.wsgi --preload --threads 4 --timeout 30 --graceful-timeout 20 "
    "--max-requests 5000 --max-requests-jitter 500 --no-control-socket"
)

# Workers need not know each other: without gossip and mingle they start faster and outlive a restart of the broker.
# Three send where much is due (`MAIL_SENDERS`), so that two processors are busy while one waits for its commit; one is
# left for the rest.
WORKER = "celery -A recovery_groups worker --concurrency 4 --without-gossip --without-mingle --loglevel INFO"

# What is due is asked of PostgreSQL at every tick: beat has nothing to remember and keeps no file.
BEAT = "celery -A recovery_groups beat --scheduler celery.beat:Scheduler --loglevel INFO"

# Development only: takes every mail and shows it on a page instead of sending it.
MAIL_CATCHER = "python -m recovery_groups.mail_catcher"

# In the order they start. They stop the other way round, so that whoever hands out work stops before who does it.
COMMANDS = {"mail catcher": MAIL_CATCHER, "web": WEB, "worker": WORKER, "beat": BEAT}

READY_SECONDS = 60
STOP_SECONDS = 25
MARK = "RECOVERY_GROUPS_RUN"


class StopAsked(BaseException):
    """Ctrl-C, or a polite request to end. Not an Exception, so that nothing on the way swallows it."""


@dataclass
class Process:
    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    def has_ended(self) -> bool:
        return self.popen.poll() is not None

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) or "(none)"

    def stop(self) -> bool:
        """Ask it to end, wait, then end whatever it started. False if it had to be killed."""
        with suppress(ProcessLookupError):
            self.popen.terminate()
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill()
            self.popen.wait()
        return True

    def kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)


def run_together(
    commands: Mapping[str, str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    logs: Path,
    is_ready: Callable[[], bool],
    when_ready: Callable[[], object],
    say: Callable[[str], object],
) -> int:
    """Run the commands until we are asked to stop (0) or one of them ends (1); then stop all of them.

    `is_ready` is asked again and again, `when_ready` is called once after it said yes. What a process prints is kept in
    a file of its name under `logs`.
    """
    end_left_behind(logs)
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with _stopped_together(say=say) as running:
            for name, command in commands.items():
                running.append(_start(name, command, environment=environment, directory=directory, logs=logs))
            if _wait_until(is_ready, running, say=say):
                when_ready()
                _wait_until(lambda: False, running, say=say, seconds=None)
            return 1
    except StopAsked:
        return 0


def web_answers(environment: Mapping[str, str], *, port: int) -> bool:
    """Does the web process on this machine say it is alive? Also the health check of the container."""
    host = urlsplit(environment.get("SITE_URL", "")).hostname or "127.0.0.1"
    address = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host})
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def end_left_behind(logs: Path) -> None:
    """Kill what a killed run with the same `logs` left running. Finds it by a mark in its environment (Linux)."""
    mark = f"{MARK}={logs.absolute()}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environ.read_bytes().split(b"\0"):
                os.kill(int(environ.parent.name), signal.SIGKILL)


def _start(name: str, command: str, *, environment: Mapping[str, str], directory: Path, logs: Path) -> Process:
    log = logs / f"{name.replace(' ', '-')}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            command.split(),
            cwd=directory,
            env={**environment, MARK: str(logs.absolute())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal reaches it through us, in order
            preexec_fn=_END_WITH_PARENT,
        )
    return Process(name, popen, log)


def _end_with_parent() -> Callable[[], object] | None:
    """What a child does first, so that it is asked to end should we be killed (Linux; elsewhere nothing)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    set_parent_death_signal = 1
    return lambda: libc.prctl(set_parent_death_signal, signal.SIGTERM)


_END_WITH_PARENT = _end_with_parent()


def _wait_until(
    done: Callable[[], bool],
    running: list[Process],
    *,
    say: Callable[[str], object],
    seconds: float | None = READY_SECONDS,
) -> bool:
    """False, and said why, if a process ended first or the time is over."""
    deadline = time.monotonic() + seconds if seconds else float("inf")
    while not done():
        for process in running:
            if process.has_ended():
                say(f"The {process.name} ended with code {process.popen.returncode}. Its last words:")
                say(process.last_words())
                return False
        if time.monotonic() > deadline:
            say(f"Not ready after {seconds} s. What the processes say is in {running[0].log.parent}.")
            return False
        time.sleep(0.1)
    return True


@contextmanager
def _stopped_together(*, say: Callable[[str], object]) -> Iterator[list[Process]]:
    """Whatever ends the block, stop the processes in it, the last first.

    Ctrl-C, TERM and a closed terminal end the block. Ctrl-C once more kills what has not stopped by then.
    """
    running: list[Process] = []
    stopping = False

    def ask(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            raise StopAsked
        if number == signal.SIGINT:
            for process in running:
                process.kill()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield running
    finally:
        stopping = True
        say("Stopping.")
        for process in reversed(running):
            if not process.stop():
                say(f"The {process.name} did not end within {STOP_SECONDS} s and was killed.")
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    if sys.argv[1:] != ["web-answers"]:
        sys.exit("python -m recovery_groups.processes web-answers: 0 if the web process on PORT says it is alive")
    sys.exit(0 if web_answers(os.environ, port=int(os.environ.get("PORT", "8000"))) else 1)
