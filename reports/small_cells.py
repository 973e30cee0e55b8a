"""What may be shown to people who see sums only. Pure: no models (PRV-09).

A small number of people points at persons. So a row in which anything counted about people is 1 to `smallest` - 1 is
hidden as a whole, and there is no total as soon as one row is hidden. Whether a row is hidden depends on that row
alone, never on which others were asked for: what one request hides, no other, overlapping or not, gives back.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Row = TypeVar("Row")


def is_small(counts: Iterable[int], smallest: int) -> bool:
    """Whether one of the counts is of too few people; none at all (0) may be shown."""
    return any(0 < count < smallest for count in counts)


def hide_small(rows: Sequence[Row], *, people: Callable[[Row], Iterable[int]], smallest: int) -> list[Row | None]:
    """The rows as they may be shown, in order: None in place of each that is hidden. `people` gives a row's counts."""
    return [None if is_small(people(row), smallest) else row for row in rows]


def may_total(shown: Sequence[Row | None]) -> bool:
    """Whether their sum may be shown: it would give away a row that is hidden."""
    return None not in shown
