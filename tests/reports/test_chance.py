"""Intervals against figures published by R. G. Newcombe (1998), and against what must hold for any."""

import pytest

from reports.chance import difference, wilson


@pytest.mark.parametrize(
    ("counted", "people", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0000),
    ],
)
def test_wilson_is_as_published(counted, people, low, high):
    assert [round(bound, 4) for bound in wilson(counted / people, people)] == [low, high]


@pytest.mark.parametrize(
    ("b", "a", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
    ],
)
def test_difference_is_as_published(b, a, low, high):
    found = difference(a[0] / a[1], a[1], b[0] / b[1], b[1])

    assert [round(found.low, 4), round(found.high, 4)] == [low, high]
    assert found.seen == pytest.approx(b[0] / b[1] - a[0] / a[1])
    assert found.may_be_none == (low < 0 < high)


def test_difference_turned_round_is_the_same_below_nothing():
    one, other = difference(0.5, 40, 0.7, 60), difference(0.7, 60, 0.5, 40)

    assert (other.seen, other.low, other.high) == pytest.approx((-one.seen, -one.high, -one.low))


def test_more_people_tell_more():
    spreads = [difference(0.5, people, 0.6, people) for people in (30, 300, 3000)]

    widths = [one.high - one.low for one in spreads]
    assert widths == sorted(widths, reverse=True)
    assert [one.may_be_none for one in spreads] == [True, False, False]
