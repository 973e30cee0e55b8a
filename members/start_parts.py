"""What the first page of the admin shows, part by part, for whoever works here.

Each app registers its own parts when it is ready (`<app>/start_page.py`); members knows no app above it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .models import Member


@dataclass(frozen=True)
class StartPart:
    """One part of the page: for which roles, its template, and what that template is to say to one of them.

    Parts stand by `order`; one that says None is not shown. `say` asks as many questions of the database for many rows
    as for few.
    """

    name: str
    order: int
    roles: frozenset[str]
    template: str
    say: Callable[[Member], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Said:
    name: str
    template: str
    facts: Mapping[str, Any]


_parts: dict[str, StartPart] = {}


def register(*parts: StartPart) -> None:
    _parts.update({part.name: part for part in parts})


def parts_for(staff: Member, *, role: str) -> list[Said]:
    mine = [part for part in _parts.values() if role in part.roles]
    said = [(part, part.say(staff)) for part in sorted(mine, key=lambda part: part.order)]
    return [Said(part.name, part.template, facts) for part, facts in said if facts is not None]
