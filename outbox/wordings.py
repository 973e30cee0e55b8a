"""The words of a letter that coordinators may choose, and what such words must not do. Pure: knows no rows.

A letter is a fixed frame, such as links, answer buttons and help lines, with three parts in it that can be changed:
its subject, its opening (the first line) and its closing, which is often empty. What differs from mail to mail stands
there as a placeholder, such as `{when}`, and is put in letter by letter; nothing of it is ever read as a template.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from . import banned_words

LONGEST_SUBJECT, LONGEST_OPENING, LONGEST_CLOSING = 60, 160, 500  # letters, as they are read
LOCK_SCREEN = 40  # letters of a subject that a small phone shows
LONG_SENTENCE = 20  # words

PLACEHOLDER = re.compile(r"\{(\w*)\}")
LINK = re.compile(r"://|\bwww\.|\b[\w-]{2,}\.[a-z]{2,}\b", re.IGNORECASE)
SHOUTED = re.compile(r"\b[^\W\d_]{4,}\b")


@dataclass(frozen=True)
class Words:
    """What coordinators may choose of a letter."""

    subject: str
    opening: str
    closing: str = ""

    def __iter__(self):
        return iter(astuple(self))


@dataclass(frozen=True)
class EditableLetter:
    """A letter whose words can be changed. One kind of mail may have several, such as one for yes and one for no.

    `name` stands in rows and addresses for good. `example` gives the letter made-up facts, in the language that is
    switched on, for pictures of it. `placeholders` are those facts that words may name, each with what it is; those
    in `required` must be in the opening. Whether words help to come is told by the meeting a mail is about
    (`counts_attendance`), or by any within so many days after it (`days_to_come`), or not at all.
    """

    name: str
    template: str
    title: str | Promise
    readers: str | Promise
    example: Callable[[], Mapping[str, Any]]
    placeholders: Mapping[str, str | Promise] = field(default_factory=dict)
    required: Collection[str] = ()
    counts_attendance: bool = False
    days_to_come: int | None = None

    @property
    def is_measured(self) -> bool:
        return self.counts_attendance or self.days_to_come is not None

    def facts(self, language: str) -> dict[str, str]:
        """What the placeholders are in the example, in a language."""
        with translation.override(language):
            example = self.example()
            return {name: str(example[name]) for name in self.placeholders}


def tidy(text: str) -> str:
    """Without blanks around it or twice in a row; at most one empty line between paragraphs."""
    lines = [" ".join(line.split(" ")).strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" {2,}", " ", "\n".join(lines))).strip()


def fill_in(text: str, facts: Mapping[str, Any]) -> str:
    """The text with each placeholder replaced, once: what is put in is not looked at again. KeyError if unknown."""
    return PLACEHOLDER.sub(lambda found: str(facts[found[1]]), text)


def variant_for(test_id: int, recipient_id: UUID) -> str:
    """A or B: for one test always the same for a person, and over many people as often the one as the other."""
    return "AB"[hashlib.sha256(f"{test_id}/{recipient_id}".encode()).digest()[0] & 1]


# --- What must not be, said so that it can be put right ---------------------------------------------------------------


def problems(
    words: Words, letter: EditableLetter, language: str, *, group_names: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Sentences by part (`subject`, `opening`, `closing`) on why these words cannot go out; empty if they can."""
    names = list(group_names)
    found = {
        "subject": [*_of_one_line(words.subject), *_of_any(words.subject, letter, names)],
        "opening": [*_of_one_line(words.opening), *_of_any(words.opening, letter, names), *_missing(words, letter)],
        "closing": _of_any(words.closing, letter, names),
    }
    facts = letter.facts(language)
    for part, text, most in zip(found, words, (LONGEST_SUBJECT, LONGEST_OPENING, LONGEST_CLOSING), strict=True):
        length = len(_as_read(text, facts))
        if length > most:
            found[part].append(
                _("This has %(length)s letters, and at most %(most)s fit. Please make it shorter.")
                % {"length": length, "most": most}
            )
    return {part: sentences for part, sentences in found.items() if sentences}


def advice(words: Words, letter: EditableLetter, language: str) -> dict[str, list[str]]:
    """Sentences by part on what could be better. They keep nobody from using the words."""
    said: dict[str, list[str]] = {"subject": [], "opening": [], "closing": []}
    facts = letter.facts(language)
    length = len(_as_read(words.subject, facts))
    if LOCK_SCREEN < length <= LONGEST_SUBJECT:
        said["subject"].append(
            _("A small phone shows the first %(shown)s letters of these %(length)s.")
            % {"shown": LOCK_SCREEN, "length": length}
        )
    for part, text in zip(said, words, strict=True):
        said[part] += _of_tone(PLACEHOLDER.sub("", text))
    return {part: sentences for part, sentences in said.items() if sentences}


def advice_on_text(text: str, *, group_names: Iterable[str] = ()) -> list[str]:
    """Sentences on what could be better in a text that somebody writes for one mail. They keep nobody from sending."""
    return _of_words(text, list(group_names)) + _of_tone(text)


def _as_read(text: str, facts: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: facts.get(found[1], found[0]), text)


def _of_one_line(text: str) -> list[str]:
    if not text.strip():
        return [_("This cannot be empty.")]
    if len(text.splitlines()) > 1 or "\n" in text or "\r" in text:
        return [_("This must be one line. Please take the line break out.")]
    return []


def _of_any(text: str, letter: EditableLetter, group_names: list[str]) -> list[str]:
    said = _of_placeholders(text, letter)
    if any(unicodedata.category(sign)[0] == "C" and sign != "\n" for sign in text):
        said.append(_("There is a sign in it that nobody can see. Please type the words anew."))
    if "@" in text or LINK.search(PLACEHOLDER.sub("", text)):
        said.append(_("Links and addresses cannot stand here. The mail has its own links below."))
    return said + _of_words(text, group_names)


def _of_words(text: str, group_names: list[str]) -> list[str]:
    """What blames people, or tells a stranger what a mail is about."""
    said = []
    blaming = banned_words.blaming_however_written(text)
    for word in blaming:
        said.append(
            _("We do not say “%(word)s”. Say instead: %(instead)s.")
            % {"word": word, "instead": banned_words.instead_of(word)}
        )
    told = [word for word in banned_words.telling_however_written(text) if word not in blaming]
    if told:
        said.append(
            _("“%(words)s” may tell others what kind of meeting it is. Please leave it out.")
            % {"words": "”, “".join(told)}
        )
    if named := [name for name in group_names if _names(text, name)]:
        said.append(
            _("“%(names)s” is the name of a group. No mail names one: please leave it out.")
            % {"names": "”, “".join(named)}
        )
    return said


def _names(text: str, name: str) -> bool:
    """Whether a group is named. A name of one word counts only as it is written: Hope, not hope."""
    text, name = banned_words.plain(text), banned_words.plain(name).strip()
    how = re.IGNORECASE if " " in name else re.NOFLAG
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, how) is not None


def _of_placeholders(text: str, letter: EditableLetter) -> list[str]:
    unknown = [found[0] for found in PLACEHOLDER.finditer(text) if found[1] not in letter.placeholders]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in letter.placeholders)
        if not known:
            return [
                _("%(unknown)s cannot be filled in: this mail has nothing of that kind.")
                % {"unknown": ", ".join(unknown)}
            ]
        return [
            _("%(unknown)s cannot be filled in. You can use: %(known)s.")
            % {"unknown": ", ".join(unknown), "known": known}
        ]
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        return [_("There is a curly bracket too many or too few.")]
    return []


def _missing(words: Words, letter: EditableLetter) -> list[str]:
    missing = [f"{{{name}}}" for name in letter.required if f"{{{name}}}" not in words.opening]
    return [_("The opening must have %(missing)s in it.") % {"missing": ", ".join(missing)}] if missing else []


def _of_tone(text: str) -> list[str]:
    said = []
    if "!" in text or "¡" in text:
        said.append(_("An exclamation mark can feel like pressure. A full stop is calmer."))
    if shouted := [word for word in SHOUTED.findall(text) if word.isupper()]:
        said.append(_("“%(words)s” looks like shouting. Small letters are calmer.") % {"words": "”, “".join(shouted)})
    longest = max((len(sentence.split()) for sentence in re.split(r"[.?!:\n]+", text)), default=0)
    if longest > LONG_SENTENCE:
        said.append(_("One sentence has %(count)s words. Short ones are read more easily.") % {"count": longest})
    return said
