"""Each filter of the list beside the list without any, in SQL: its time, and how many rows it reads to show a page."""

import statistics
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

from django.db import connection

from meetings import find
from meetings.forms import FindForm

from . import town

UPCOMING = 10_000
TIMES = 1.5  # of the unfiltered list's time, at most
ROWS = 3  # read for each row shown, at most
# To look for: one group has it, some, a third of all, all; and misspelled: some have it, none has anything like it.
WORDS = ("417", "harbor", "north", "ri", "calm", "evning", "hrabor")


def run(*, seconds: float, rounds: int, size: int = UPCOMING) -> dict:
    town.build(size)
    measured = {}
    for wanted in every_filter():
        ratios = list(_ratios(wanted, seconds=seconds / 4, rounds=rounds))
        read, shown = rows_read(wanted)
        measured["&".join(f"{name}={value}" for name, value in wanted.items())] = {
            "ratio": round(statistics.median(ratios), 2),
            "rows_read": read,
            "rows_shown": shown,
        }
    slowest = max(one["ratio"] for one in measured.values())
    most = max(one["rows_read"] / max(one["rows_shown"], 1) for one in measured.values())
    return {
        "ratio": slowest,
        "at_most": TIMES,
        "rows_read_per_row_shown": round(most, 2),
        "rows_at_most": ROWS,
        "holds": slowest <= TIMES and most <= ROWS,
        "filters": measured,
    }


def every_filter() -> Iterator[dict[str, str]]:
    """Each choice of each filter by itself."""
    for name, field in FindForm.base_fields.items():
        values = WORDS if name == "q" else [value for value, _label in cast(Any, field).choices if value]
        yield from ({name: value} for value in values)


def _ratios(wanted: Mapping[str, str], *, seconds: float, rounds: int) -> Iterator[float]:
    """Of the shortest times for all that the list asks of the database, in each round after one to warm up. The list
    with the filter and the one without take turns, so that what else the machine does happens to both.
    """
    for number in range(rounds + 1):
        shortest = {"plain": float("inf"), "filtered": float("inf")}
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            for name, asked in (("plain", {}), ("filtered", wanted)):
                began = time.perf_counter()
                find.groups_by_next_meeting(find.Search.of(asked))
                shortest[name] = min(shortest[name], time.perf_counter() - began)
        if number:
            yield shortest["filtered"] / shortest["plain"]


def rows_read(wanted: Mapping[str, str]) -> tuple[int, int]:
    """How many rows of meetings are read to find a page, those looked at in vain included; and how many it shows.

    The further dates of a group are not counted: they are shown as well.
    """
    read = 0.0
    for statement, values in find.next_meetings(find.Search.of(wanted)):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
            plan = cursor.fetchone()[0][0]["Plan"]
        read += sum(_read(node) for node in _nodes(plan) if node.get("Relation Name") == "meetings_meeting")
        found = int(plan["Actual Rows"])
        if found > find.PER_PAGE:
            break
    return round(read), min(found, find.PER_PAGE)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _read(node: dict[str, Any]) -> float:
    in_vain = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return (node["Actual Rows"] + in_vain) * node["Actual Loops"]
