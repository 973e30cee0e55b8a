"""Several lines to the mail server at once, within one sender: while the server thinks about one mail, the next is said
on another line, and a line that hangs holds up no other."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from select import POLLIN, poll
from time import monotonic

from django.conf import settings

from .mail_server import SMTP, Line, LineBroke, Refused, ServerAway, Steps, Unsendable, line
from .message import Message
from .models import Email

MAILS_PER_LINE = 25  # to open a line takes longer than to say a few mails
BREATH = 0.001  # seconds
MOST_BREAKS = 3  # in a row, for each line: then it is the server, not the message
MOST_REFUSALS = 20  # in a row: then it is the server that refuses, not one address
Problem = Refused | Unsendable | LineBroke


@dataclass(frozen=True)
class Handed:
    """A mail the server has taken, or why not."""

    email: Email
    message: Message
    problem: Problem | None = None


@dataclass(eq=False)
class _Call:
    """A mail on a line. `until` (`monotonic`): as long the server may think about its next answer."""

    line: Line
    email: Email
    message: Message
    steps: Steps
    until: float = 0.0


class Lines:
    """Up to `most` lines, each opened when it is needed. At any time each of them has said at most one mail whole that
    is not reported yet, and of the mails not reported these are among the first `most`.
    """

    def __init__(self, most: int):
        self._most = most if settings.EMAIL_BACKEND == SMTP else 1
        self._lines: list[Line] = []
        self._idle: list[Line] = []
        self._calls: list[_Call] = []
        self._put_back: deque[tuple[Email, Message]] = deque()
        self._away: ServerAway | None = None
        self._breaks = 0
        self._refusals = 0

    def hand_over(self, mails: Iterator[tuple[Email, Message]], *, about: int) -> Iterator[list[Handed]]:
        """Say all mails in their order. Those that are done with are reported at once; the next wait until then.

        `about`: how many there are. ServerAway, after the last report, if no line is left that works, or if what the
        server says to one mail after the other is its own fault.
        """
        self._have_lines_for(about)
        while True:
            handed = self._listen()
            handed += self._say_next(mails)
            if handed:
                yield handed
            elif not self._calls:
                break
        if self._away:
            raise self._away

    def close(self) -> None:
        for one in self._lines:
            one.close()

    def _have_lines_for(self, mails: int) -> None:
        while len(self._lines) < min(self._most, 1 + mails // MAILS_PER_LINE):
            new = line()
            self._lines.append(new)
            self._idle.append(new)

    def _listen(self) -> list[Handed]:
        """Wait until a mail is done with, and a breath longer for others, as one commit then serves them all."""
        handed: list[Handed] = []
        while self._calls:
            patience = BREATH if handed else max(0.0, min(call.until for call in self._calls) - monotonic())
            answered = self._answered(patience)
            now = monotonic()
            turns = [call for call in self._calls if call in answered or call.until <= now]
            if not turns:
                break
            for call in turns:
                self._calls.remove(call)
                handed += self._go_on(call, is_late=call not in answered)
        return handed

    def _answered(self, patience: float) -> set[_Call]:
        """The calls that have an answer by now, or within so many seconds. A server that thinks too long has none."""
        ears = poll()
        by_number = {call.line.fileno(): call for call in self._calls}
        for number in by_number:
            ears.register(number, POLLIN)
        return {by_number[number] for number, _event in ears.poll(patience * 1000)}

    def _say_next(self, mails: Iterator[tuple[Email, Message]]) -> list[Handed]:
        """Begin a mail on each idle line, as long as there are any."""
        handed = []
        for one in tuple(self._idle):
            if self._away:
                break
            mail = self._put_back.popleft() if self._put_back else next(mails, None)
            if mail is None:
                break
            self._idle.remove(one)
            handed += self._go_on(_Call(one, *mail, one.hand_over(mail[1])))
        return handed

    def _go_on(self, call: _Call, *, is_late: bool = False) -> list[Handed]:
        """One step further on a line. Nothing if it is the server's turn again."""
        problem: Problem | None = None
        try:
            call.steps.throw(TimeoutError()) if is_late else next(call.steps)
        except StopIteration:
            pass
        except (Refused, Unsendable, LineBroke) as why_not:
            problem = why_not
        except ServerAway as away:
            self._lines.remove(call.line)
            self._put_back.append((call.email, call.message))
            if not self._lines:
                self._away = away
            return []
        else:
            call.until = monotonic() + settings.EMAIL_TIMEOUT
            self._calls.append(call)
            return []
        self._idle.append(call.line)
        self._judge(problem)
        return [Handed(call.email, call.message, problem)]

    def _judge(self, problem: Problem | None) -> None:
        """Stop when it is the server, not one mail or the other, that is at fault."""
        self._breaks = self._breaks + 1 if isinstance(problem, LineBroke) else 0
        self._refusals = self._refusals + 1 if isinstance(problem, Refused) and problem.for_good else 0
        if self._breaks >= MOST_BREAKS * len(self._lines):
            self._away = ServerAway(f"the line broke {self._breaks} times in a row")
        if self._refusals >= MOST_REFUSALS:
            self._away = ServerAway(f"{self._refusals} mails in a row were refused for good")
