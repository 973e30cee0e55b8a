"""How much chance alone can do. Pure.

Two halves of a group differ a little even if they were treated alike. The interval says within which bounds the true
difference lies in 95 of 100 such comparisons: Newcombe's tenth method, made of two Wilson intervals (R. G. Newcombe,
Statistics in Medicine 17, 1998, 857-872 and 873-890). It holds for few people and for shares near none and all.
"""

from dataclasses import dataclass
from math import sqrt

Z = 1.959964  # of the normal distribution, for 95 of 100


def wilson(share: float, people: float) -> tuple[float, float]:
    """Bounds of a true share of which `share` was seen among so many people. Both 0 to 1; `people` above 0."""
    middle = share + Z * Z / (2 * people)
    spread = Z * sqrt(share * (1 - share) / people + Z * Z / (4 * people * people))
    whole = 1 + Z * Z / people
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


@dataclass(frozen=True)
class Difference:
    """How much more B has than A (below 0: less), and the bounds of the true difference; -1 to 1."""

    seen: float
    low: float
    high: float

    @property
    def may_be_none(self) -> bool:
        return self.low <= 0 <= self.high


def difference(share_a: float, people_a: float, share_b: float, people_b: float) -> Difference:
    """Of the share in B to that in A. People are counted once each, however often they came: what one person does
    today and next week is not two independent facts, so counting visits would promise more than is known.
    """
    low_a, high_a = wilson(share_a, people_a)
    low_b, high_b = wilson(share_b, people_b)
    seen = share_b - share_a
    return Difference(
        seen,
        seen - sqrt((share_b - low_b) ** 2 + (high_a - share_a) ** 2),
        seen + sqrt((high_b - share_b) ** 2 + (share_a - low_a) ** 2),
    )
