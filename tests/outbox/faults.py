"""What the tests of faults count, and how much of it. FAULTS_SIZE=10000 is the full size, for a machine of its own."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

from outbox.models import Email

FULL_SIZE = int(os.environ.get("FAULTS_SIZE", "0"))


def size(usual: int) -> int:
    return FULL_SIZE or usual


def lost(people, smtp) -> int:
    return len({person.email for person in people} - set(smtp.people))


def repeats(smtp) -> int:
    return sum(smtp.message_ids.values()) - len(smtp.message_ids)


def mails_a_second(taken, *, at_once: int = 5) -> float:
    """The usual rate: by the middle one of all runs of so many mails, as another program may have held up a few."""
    seconds = [later.at - sooner.at for sooner, later in zip(taken, taken[at_once:], strict=False)]
    return at_once / median(seconds) if seconds else 0


def double_rows(people) -> int:
    return Email.objects.count() - len(people)


def repeats_nobody_was_told_of(smtp) -> int:
    """Staff are shown each mail that somebody may have got twice; these are not among them."""
    doubts = {email.message_id: email.doubts for email in Email.objects.filter(doubts__gt=0)}
    return sum(max(times - 1 - doubts.get(found, 0), 0) for found, times in smtp.message_ids.items())


def everything_is_done() -> bool:
    return not Email.objects.waiting().exists()


def children_of(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"\nPPid:\t{pid}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def kill_one_child_of(pid: int) -> bool:
    """kill -9 for a process of a worker, as the system does that runs out of memory."""
    for child in children_of(pid):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
            return True
    return False


def seconds_until(condition, limit: float, what_else=str) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > limit:
            raise AssertionError(f"not so after {limit} s\n{what_else()}")
        time.sleep(0.02)
    return round(time.monotonic() - began, 2)
