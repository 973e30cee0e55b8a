"""What is hidden stays hidden, whatever is asked for and subtracted."""

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.small_cells import hide_small, is_small, may_total

SMALLEST = 11
ROWS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12)


def shown(rows, smallest=SMALLEST):
    """All that a reader gets: the rows as shown, and their sums if they may be shown."""
    rows = hide_small(rows, people=lambda row: row, smallest=smallest)
    return rows, [sum(column) for column in zip(*rows, strict=True)] if may_total(rows) else None


@pytest.mark.parametrize(
    ("counts", "small"), [([0], False), ([1], True), ([10], True), ([11], False), ([30, 2], True), ([0, 11], False)]
)
def test_one_to_ten_people_are_few_and_none_is_not(counts, small):
    assert is_small(counts, SMALLEST) is small


def test_row_is_hidden_as_a_whole_and_there_is_no_total():
    assert shown([(30, 25), (30, 4)]) == ([(30, 25), None], None)


def test_without_small_rows_there_is_a_total():
    assert shown([(30, 25), (0, 0)]) == ([(30, 25), (0, 0)], [30, 25])


@given(rows=ROWS, others=ROWS)
def test_output_does_not_depend_on_what_is_hidden(rows, others):
    small = [row for row in others if is_small(row, SMALLEST)] or [(1, 1)]
    changed = [small[n % len(small)] if is_small(row, SMALLEST) else row for n, row in enumerate(rows)]

    assert shown(changed) == shown(rows)


@given(rows=ROWS)
def test_whether_a_row_is_shown_does_not_depend_on_the_others(rows):
    assert shown(rows)[0] == [shown([row])[0][0] for row in rows]


def test_no_hidden_count_can_be_worked_out_from_all_ranges_together():
    """By brute force: every world of three weeks, and what all ranges of weeks show of it. Worlds that look the same in
    all of them must still hold every small number in each hidden place."""
    smallest = 3
    looks = defaultdict(list)
    for world in product(range(6), repeat=3):
        rows = [(count,) for count in world]
        ranges = [(first, last) for first in range(3) for last in range(first + 1, 4)]
        looks[str([shown(rows[first:last], smallest) for first, last in ranges])].append(world)

    hidden = 0
    for worlds in looks.values():
        for week, count in enumerate(worlds[0]):
            if is_small([count], smallest):
                hidden += 1
                assert {world[week] for world in worlds} == {1, 2}
    assert hidden


def test_with_a_total_over_hidden_rows_the_same_search_finds_them():
    """The negative control: what the test above would see if the total were always shown."""
    looks = defaultdict(set)
    for world in product(range(6), repeat=3):
        rows = hide_small([(count,) for count in world], people=lambda row: row, smallest=3)
        looks[tuple(rows), sum(world)].add(world)

    assert any(len(worlds) == 1 and None in rows for (rows, _total), worlds in looks.items())
