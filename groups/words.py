"""Which groups have the words that somebody looks for.

The question is a function of the database (migration 0011), because PostgreSQL then plans it once and not each time.
Only what everybody may see is looked through: name, area and description of listed groups; not the place, nor its
address.
"""

import re
import unicodedata
from typing import NamedTuple

from django.db import connection

MOST_WORDS = 8  # of a question are looked for
COMPARED_FROM = 4  # letters: shorter words have too few parts to compare
CLOSE_ENOUGH = 0.5  # of three-letter parts in common: forgives a letter too many, too few or in the wrong place

FIND = "SELECT cardinality(found), found::text FROM groups_with_words(%s, %s, %s) AS found"


class Groups(NamedTuple):
    """Groups that go back to the database, so their ids stay as PostgreSQL writes an array: `{1,2}`."""

    how_many: int
    ids: str


def listed_groups_with(text: str) -> Groups:
    """The groups in which each word of the text begins a word; if there are none, those that nearly have them."""
    words = re.findall(r"\w+", _plain(text))[:MOST_WORDS]
    with connection.cursor() as cursor:
        cursor.execute(FIND, [words, COMPARED_FROM, CLOSE_ENOUGH])
        return Groups(*cursor.fetchone())


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("_", " ")
