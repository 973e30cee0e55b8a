"""What this site knows about a member, part by part: one list for the page, the file, and the test that it is whole.

Each app registers its own parts when it is ready (`<app>/my_data.py`); members knows no app above it. A test fails for
a link to a member, or a column of theirs, that belongs to no part.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Any, TypeAlias

from django.db.models import QuerySet

from .models import Member

Words: TypeAlias = Any  # a string, or one that is translated when it is read
Value = Words | datetime | date | bool | int | None


class Theme(IntEnum):
    """Under which heading of the page a part stands, in this order."""

    YOU = 1
    MEETINGS = 2
    MAIL = 3
    SIGNING_IN = 4
    WORK = 5
    RECORD = 6


@dataclass(frozen=True)
class Part:
    """One kind of thing that is kept about a member.

    `say` gives the values of a row in the order of `columns` (key in the file, words on the page), and nothing of
    other people: no name, no address. `covers` names what it accounts for, as `app.Model.field`.
    """

    name: str
    theme: Theme
    heading: Words
    why: Words
    kept: Words
    columns: Mapping[str, Words]
    rows: Callable[[Member], QuerySet]
    say: Callable[[Any, Member], Sequence[Value]]
    covers: frozenset[str]

    def told(self, row: Any, member: Member) -> dict[str, Value]:
        return dict(zip(self.columns, self.say(row, member), strict=True))


_parts: dict[str, Part] = {}
_words: dict[str, Words] = {}


def register(*parts: Part) -> None:
    _parts.update({part.name: part for part in parts})


def register_words(words: Mapping[str, Words]) -> None:
    """Say what short names in rows mean: `membership.joined` in the record of changes, `mail.reminder` of a mail."""
    _words.update(words)


def words_for(name: str) -> Words:
    """What a short name means; the name itself if nobody said."""
    return _words.get(name, name)


def has_words(name: str) -> bool:
    return name in _words


def every_part() -> Iterator[Part]:
    """In the order of the page."""
    return iter(sorted(_parts.values(), key=lambda part: part.theme))


def find_part(name: str) -> Part | None:
    return _parts.get(name)
