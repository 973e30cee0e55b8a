"""What each mail says now, with made-up facts, for staff who must not read a member's: for the admin page of mail."""

import re
from typing import NamedTuple

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import translation
from django.views.decorators.clickjacking import xframe_options_sameorigin

from outbox import kinds
from outbox.kinds import Letter
from outbox.letters import example_letter
from outbox.models import WordingPeriod
from outbox.wordings import EditableLetter

LINKS = re.compile(r"""\bhref\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)


class Preview(NamedTuple):
    """A letter as people who read a language get it. `variant`: A or B while two wordings are tried, else A."""

    language: str
    language_name: str
    variant: str
    is_test: bool
    subject: str
    first_line: str
    text: str


def chosen_letter(request) -> EditableLetter | None:
    """The letter that is asked for; of a kind with several, its first; none if none is."""
    letters = kinds.editable_letters()
    asked = request.GET.get("letter", "")
    of_kind = [letter for letter in kinds.letters_of(request.GET.get("kind", "")) if letter.name in letters]
    return letters.get(asked) or (of_kind[0] if of_kind else None)


def previews(letter: EditableLetter) -> list[Preview]:
    """In each language, in the words that are in use there."""
    found = []
    for language, name in settings.LANGUAGES:
        period = _period(letter, language)
        for variant in "AB" if period and period.is_test else "A":
            written = _written(letter, language, variant, period)
            found.append(
                Preview(
                    language=language,
                    language_name=name,
                    variant=variant,
                    is_test=bool(period and period.is_test),
                    subject=" ".join(written.subject.split()),
                    first_line=written.text.split("\n")[0],
                    text=written.text,
                )
            )
    return found


@xframe_options_sameorigin
@csp_replace(
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "form-action": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": True,
    }
)
def html_of(request) -> HttpResponse:
    """The HTML part alone, in a frame of the page. Its own styles work there and nothing else does."""
    letter, language, variant = chosen_letter(request), request.GET.get("language"), request.GET.get("variant", "A")
    if letter is None or language not in dict(settings.LANGUAGES) or variant not in ("A", "B"):
        raise Http404
    html = _written(letter, language, variant, _period(letter, language)).html
    return HttpResponse(LINKS.sub('href="#"', html))


def _period(letter: EditableLetter, language: str) -> WordingPeriod | None:
    return WordingPeriod.objects.of(letter.name, language).open().with_words().first()


def _written(letter: EditableLetter, language: str, variant: str, period: WordingPeriod | None) -> Letter:
    with translation.override(language):
        return example_letter(letter, period.words_of(variant) if period else None)
