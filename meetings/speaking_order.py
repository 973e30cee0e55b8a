"""Whose turn it is: those still to come in their order, then those who asked to be come back to. No models."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

GUESTS_ARRIVE = 1e11  # later than any moment: of newcomers, those with a name come first


class Place(NamedTuple):
    """Somebody in the room: `key` is `p12` for participation 12, `g1` for the first who gave no name.

    `position` is None for somebody the run has not met yet: they come after the others, as they arrived.
    """

    key: str
    state: str
    position: int | None
    arrived: float = 0.0


def in_order(places: Iterable[Place]) -> list[Place]:
    """As they are seated: first those with a position, then newcomers as they came."""
    return sorted(places, key=lambda one: (one.position is None, one.position or 0, one.arrived, one.key))


def to_come(seated: Sequence[Place]) -> list[Place]:
    """Those who have not shared: first whoever waits, then whoever asked to be come back to."""
    return [one for one in seated if one.state == "waiting"] + [one for one in seated if one.state == "come_back"]


def speaking(seated: Iterable[Place]) -> Place | None:
    return next((one for one in seated if one.state == "speaking"), None)


def before(seated: Sequence[Place], key: str) -> int | None:
    """How many share before this person, whoever shares now not counted. None: they are not still to come."""
    return next((count for count, one in enumerate(to_come(seated)) if one.key == key), None)
