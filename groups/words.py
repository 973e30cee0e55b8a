"""Which groups have the words that somebody looks for.

Written in SQL like the list it serves (`meetings/find.py`). Only what everybody may see is looked through: name, area
and description of listed groups; not the place, nor its address.
"""

import re
import unicodedata
from typing import NamedTuple

from django.db import connection

MOST_WORDS = 8  # of a question are looked for
TOO_SHORT = 3  # letters: too few parts to compare
CLOSE_ENOUGH = 0.5  # of three-letter parts in common: forgives a letter too many, too few or in the wrong place

# The vector is spelled as in the index `group_by_words`, so that PostgreSQL finds it there.
GROUPS = """
SELECT count(*), coalesce(array_agg(id), '{{}}')::text FROM (
    SELECT id, to_tsvector('simple'::regconfig, COALESCE(search_text, '')) AS words FROM groups_group WHERE is_listed
) AS listed WHERE {fits}
"""
HAS = "words @@ to_tsquery('simple', %({word})s || ':*')"

# As above, or a word that stands in some group and is spelled nearly so. `groups_word` has them all, each once or a
# few times, and may have some that no group has any more (migration 0010).
NEARLY_HAS = """
words @@ (
    SELECT to_tsquery('simple', concat_ws(' | ', %({word})s || ':*', string_agg(DISTINCT known.word, ' | ')))
    FROM groups_word AS known WHERE word_similarity(%({word})s, known.word) >= %(close_enough)s
)
"""


class Groups(NamedTuple):
    """Groups that go back to the database, so their ids stay as PostgreSQL writes an array: `{1,2}`."""

    how_many: int
    ids: str


def listed_groups_with(text: str) -> Groups:
    """The groups in which each word of the text begins a word; if there are none, those that nearly have them."""
    words = re.findall(r"\w+", _plain(text))[:MOST_WORDS]
    found = _listed(words)
    return found if found.how_many else _listed(words, nearly=True)


def _listed(words: list[str], *, nearly: bool = False) -> Groups:
    named = {f"word{number}": word for number, word in enumerate(words)}
    fits = [(NEARLY_HAS if nearly and len(word) > TOO_SHORT else HAS).format(word=name) for name, word in named.items()]
    with connection.cursor() as cursor:
        cursor.execute(GROUPS.format(fits=" AND ".join(fits) or "true"), named | {"close_enough": CLOSE_ENOUGH})
        return Groups(*cursor.fetchone())


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.replace("\0", " ").lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("_", " ")
