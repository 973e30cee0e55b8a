"""How the time of a meeting is spent when its group has not said: the usual sequence, for any length. No models."""

from collections.abc import Sequence

# The parts that keep their length, and those that share the rest by weight.
OPENING = (("welcome", 5), ("introductions", 15))
MIDDLE = (("topic", 3), ("sharing", 6), ("questions", 2))
CLOSING = (("closing", 15),)
SHORTEST_AS_USUAL = 60


def usual_sequence(minutes: int) -> list[tuple[str, int]]:
    """The parts of a meeting and how many minutes each takes; together exactly `minutes`.

    A meeting shorter than an hour has every part in proportion; one of a few minutes goes without the smallest.
    """
    if minutes >= SHORTEST_AS_USUAL:
        ends = sum(length for _part, length in (*OPENING, *CLOSING))
        return [*OPENING, *_share(minutes - ends, MIDDLE), *CLOSING]
    hour = usual_sequence(SHORTEST_AS_USUAL)
    return [(part, length) for part, length in _share(minutes, hour) if length]


def _share(minutes: int, parts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Whole minutes by weight: each part ends at the whole minute nearest to its exact end."""
    total = sum(weight for _part, weight in parts)
    shared, weight_so_far, used = [], 0, 0
    for part, weight in parts:
        weight_so_far += weight
        until = (2 * minutes * weight_so_far + total) // (2 * total)
        shared.append((part, until - used))
        used = until
    return shared
