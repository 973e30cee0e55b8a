"""Files for spreadsheets: text that stays text, names that say nothing (PRV-06, SEC-14)."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date

from django.http import StreamingHttpResponse

# 42 CFR 2.32(a)(2), word for word: not to be translated.
NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."

BYTE_ORDER_MARK = "\ufeff"  # by which spreadsheets know that it is UTF-8

FORMULA_SIGNS = ("=", "+", "-", "−", "@")

Cell = str | int | None


def safe_cell(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe before it.

    Blanks and marks that are not seen are looked through, wide forms of the signs count as what they look like. A tab
    or a line break at the start is enough by itself.
    """
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell[:1] in ("\t", "\r", "\n") or _first_seen(cell) in FORMULA_SIGNS else cell


def _first_seen(text: str) -> str:
    for character in text:
        if unicodedata.category(character)[0] not in "ZC":  # separators; controls and other unseen marks
            return unicodedata.normalize("NFKC", character)[:1]
    return ""


def csv_lines(rows: Iterable[Iterable[Cell]]) -> Iterator[str]:
    """The rows as lines of a CSV file, one at a time, every text quoted and safe."""
    yield BYTE_ORDER_MARK
    write = csv.writer(_Line(), quoting=csv.QUOTE_NONNUMERIC).writerow
    for row in rows:
        yield write([safe_cell("" if cell is None else cell) for cell in row])


class _Line:
    """Where the writer writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line


def csv_response(rows: Iterable[Iterable[Cell]], *, first: date, last: date) -> StreamingHttpResponse:
    """The rows as a download, sent as they are made."""
    response = StreamingHttpResponse(
        (line.encode() for line in csv_lines(rows)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="figures-{first}-to-{last}.csv"'
    return response
