"""Files that a spreadsheet opens: text stays text, the name says nothing."""

import csv
import io
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.exports import csv_lines, csv_response, safe_cell


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x")',
        "+1",
        "-1",
        "@SUM(1)",
        "\tx",
        "\rx",
        "\nx",
        "  =1+1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff=1",
        "\x00=1",
        "＝1",
        "＋1",
        "−1",
    ],
)
def test_text_that_begins_like_a_formula_gets_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["Willow evening", "12-step", "a=b", "", " x", "1", 7, -7, None])
def test_other_cells_stay_as_they_are(cell):
    assert safe_cell(cell) == cell


@given(st.text())
def test_no_text_is_lost_and_none_begins_like_a_formula(text):
    safe = str(safe_cell(text))

    assert safe in (text, f"'{text}")
    seen = [character for character in safe if unicodedata.category(character)[0] not in "ZC"]
    assert not seen or unicodedata.normalize("NFKC", seen[0])[0] not in "=+-@"
    assert safe[:1] not in ("\t", "\r", "\n")


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)))
def test_file_reads_back_as_written(rows):
    text = "".join(csv_lines(rows)).removeprefix("\ufeff")

    assert list(csv.reader(io.StringIO(text, newline=""))) == [[safe_cell(cell) for cell in row] for row in rows]


def test_separator_inside_a_text_cannot_start_a_cell_elsewhere():
    """Where lists are separated by semicolons, an unquoted `a;=1` would become two cells."""
    assert list(csv_lines([["a;=1", 3]])) == ["\ufeff", '"a;=1",3\r\n']


def test_download_is_utf_8_with_a_mark_and_a_neutral_name():
    response = csv_response([["Á", 1]], first=date(2026, 8, 31), last=date(2026, 11, 22))

    assert response.streaming
    assert b"".join(response) == b"\xef\xbb\xbf" + '"Á",1\r\n'.encode()
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="figures-2026-08-31-to-2026-11-22.csv"'
