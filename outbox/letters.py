"""Letters from templates: three files of one name make one letter, in the language that is switched on."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from .kinds import Letter
from .models import WordingPeriod
from .wordings import EditableLetter, Words, fill_in, variant_for

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """Which words somebody gets: those of a period and, in a test, of a variant. No words: those of the template."""

    words: Words | None
    period_id: int | None = None
    variant: str = ""


class WordsInUse:
    """The words coordinators chose, of some letters, fetched by one statement for a batch of mails."""

    def __init__(self, letters: Iterable[EditableLetter]):
        names = [letter.name for letter in letters]
        periods = WordingPeriod.objects.open().of_letters(names).with_words()
        self._periods = {(period.letter, period.language): period for period in periods}

    def for_person(self, letter: EditableLetter, recipient_id: UUID, language: str) -> Chosen | None:
        """What somebody who reads this language gets; None: the template as it is."""
        period = self._periods.get((letter.name, language))
        if period is None:
            return None
        variant = variant_for(period.pk, recipient_id) if period.is_test else "A"
        return Chosen(period.words_of(variant), period.pk, variant)


def letter(template: str, context: Mapping[str, Any], chosen: Chosen | None = None) -> Letter:
    """The letter of `<template>_subject.txt`, `.txt` and `.html`, in chosen words if there are any. Every template
    knows the site, its help lines and the way to my week.
    """
    known = {
        "site_name": settings.SITE_NAME,
        "help_lines": settings.HELP_LINES,
        "my_week_url": settings.SITE_URL + reverse("my_week"),
        **context,
    }
    chosen = chosen or Chosen(None)
    subject = ""
    if chosen.words:
        try:
            subject, known["opening"], known["closing"] = (fill_in(text, context) for text in chosen.words)
        except KeyError:  # written for a version of the program that knew more: better plain words than none
            logger.exception("words of %s cannot be filled in", template)
            chosen, subject = Chosen(None), ""
    return Letter(
        subject=subject or render_to_string(f"{template}_subject.txt", known).strip(),
        text=_plain(render_to_string(f"{template}.txt", known)),
        html=render_to_string(f"{template}.html", known),
        period_id=chosen.period_id,
        variant=chosen.variant,
    )


def _plain(text: str) -> str:
    """What a template makes is marked as safe in HTML. A text part is not: shown on a page, it is to be escaped. Blocks
    with nothing in them leave no gap.
    """
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"


def own_words(letter: EditableLetter) -> Words:
    """The words of the template itself, with their placeholders, in the language that is switched on."""
    known = {
        "site_name": settings.SITE_NAME,
        **letter.example(),
        **{name: f"{{{name}}}" for name in letter.placeholders},
    }
    text = render_to_string(f"{letter.template}.txt", known)
    return Words(
        subject=render_to_string(f"{letter.template}_subject.txt", known).strip(),
        opening=text.split("\n\n")[0].strip(),
    )


def example_letter(editable: EditableLetter, words: Words | None = None) -> Letter:
    """The letter as somebody could get it, with made-up facts, in the language that is switched on.

    A placeholder that nobody knows stays as it was typed.
    """
    return letter(editable.template, _AsTyped(editable.example()), Chosen(words))


class _AsTyped(dict):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"
