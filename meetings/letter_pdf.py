"""A letter as a file to print or send on: one page of plain type, with nothing in it that the page does not say. Pure.

The fonts every reader of such files has hold the letters of Western Europe. A name in other letters is not written
wrongly: the file is not made, and the page prints as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
MARGIN, WIDTHS = 25, (70, 25, 65)  # millimetres


class UnknownLetters(Exception):
    """Something in it is written in letters that the fonts do not have."""


@dataclass(frozen=True)
class Paper:
    """The words of a letter in the order they stand: the rows are a table, with its headings first."""

    title: str
    before: Sequence[str]
    rows: Sequence[Sequence[str]]
    after: Sequence[str]
    small: str
    made_at: datetime


def letter_pdf(paper: Paper) -> bytes:
    """Raises `UnknownLetters`. The same letter gives the same file each time."""
    pdf = FPDF(format="letter")
    pdf.set_compression(False)
    pdf.set_creation_date(paper.made_at)
    pdf.set_title(_known(paper.title))
    pdf.set_margins(MARGIN, MARGIN)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 18)
    _paragraph(pdf, 10, paper.title)
    pdf.set_font("Helvetica", size=12)
    for text in paper.before:
        pdf.ln(4)
        _paragraph(pdf, 6, text)
    pdf.ln(6)
    for n, row in enumerate(paper.rows):
        pdf.set_font("Helvetica", "" if n else "B", 12)
        for text, width in zip(row, WIDTHS, strict=True):
            pdf.cell(width, 8, _known(text), border="B")
        pdf.ln(8)
    for text in paper.after:
        pdf.ln(6)
        _paragraph(pdf, 6, text)
    pdf.ln(8)
    pdf.set_font("Helvetica", size=10)
    _paragraph(pdf, 5, paper.small)
    return bytes(pdf.output())


def _paragraph(pdf: FPDF, height: int, text: str) -> None:
    pdf.multi_cell(0, height, _known(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _known(text: str) -> str:
    plain = text.translate(PLAIN)
    try:
        plain.encode("latin-1")
    except UnicodeEncodeError as error:
        raise UnknownLetters from error
    return plain
