"""Who reads with effort can use this: every page, mail and promise is measured, in both languages (A11Y-10)."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from groups.models import Agreement
from members.models import Consent
from tests import wrong_pages
from tests.reading import Measure, english_syllables, measure, page_texts, sentences, spanish_syllables
from tests.test_conventions import blaming
from tests.test_look import pages, scene  # noqa: F401

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
FEW_WORDS = 30  # of which a figure says little: such pages are measured together
LONGEST_SENTENCE = 25  # words
HARDEST = {"en": 6, "es": 65}  # at most this school year; at least "rather easy"
HARDEST_PROMISE = {"en": 8, "es": 55}  # what one agrees to, and what the law wants said; at least "normal"
A_USER = re.compile(r"\b(?:users?|usuari[oa]s?)\b", re.IGNORECASE)  # people are members
OF_A_LIBRARY = {"password-wrong", "reset-new"}  # what Django says of passwords
AT_WORK = {
    "attendance",
    "calls",
    "calls-none",
    "incident-new",
    "incident-new-wrong",
    "incidents",
    "letter-given",
    "letter-issued",
    "log",
    "log-none",
    "log-signed",
    "log-wrong",
    "message",
    "message-group",
    "message-over",
    "message-sent",
    "message-wrong",
    "notes",
    "notes-wrong",
    "reports",
    "roster",
    "roster-wrong",
    "sheet",
    "sheet-blank",
    "sheet-slips",
    "sheet-wrong",
    "run",
    "run-ended",
    "run-not-yet",
    "second-factor",
    "styleguide",
    "waiting",
    "waiting-first",
    "waiting-first-wrong",
    "waiting-none",
}  # no page of members

# By syllables: words of ours, and those at which rules go wrong.
ENGLISH = {
    1: "a the you time times asked place group piece fire closed real rule rules friend",
    2: "wanted needed places people person meeting quiet being create poem safely someone police changes e-mail "
    "special language address agreed table little answered erase science",
    3: "idea ideas area somebody everything counselor reminder calendar already usual attention ambulance family",
    4: "everybody invitation society variety material",
    6: "confidentiality",
}
SPANISH = {
    1: "que quien y muy voy bien yo hoy",
    2: "guía grupo reunión ciudad día días aquí lugar leer país oír agua ellos",
    3: "reuniones correo poeta ayuda siguiente cuídese ahora",
    4: "calendario averigüe",
    5: "consejería",
}


def test_syllables_are_counted_as_people_say_them():
    for count, known in ((english_syllables, ENGLISH), (spanish_syllables, SPANISH)):
        assert {word: count(word) for words in known.values() for word in words.split()} == {
            word: number for number, words in known.items() for word in words.split()
        }


def test_known_texts_have_their_known_grades():
    """A line from a primer, and one from a law."""
    easy = measure(["The cat sat on the mat. It was a warm day."], "en")
    hard = measure(
        ["Unauthorized disclosure of substance use disorder treatment information is prohibited by federal law."], "en"
    )

    assert (easy.grade, hard.grade > 16) == (round(0.39 * 11 / 2 + 11.8 * 11 / 11 - 15.59, 1), True)
    assert page_texts("<main><h1>Hi</h1><p>One <b>two</b>.</p><p lang=es>No</p><li>Three</main><p>Four", "en") == [
        *("Hi", "One two.", "Three")
    ]


@pytest.fixture
def read(record_property):
    """Measure texts and keep the figures for the report at the end of the run."""

    def read(name: str, texts: list[str], language: str) -> Measure:
        found = measure(texts, language)
        if found.words:
            record_property("reading", (name, language, found.grade if language == "en" else found.ease, found.words))
        return found

    return read


def too_hard(measures: dict[str, Measure], language: str, hardest: dict[str, int]) -> dict[str, float]:
    """Those beyond the limit; those of a few words count as one."""
    judged = {name: found for name, found in measures.items() if found.words >= FEW_WORDS}
    short = [found for name, found in measures.items() if name not in judged and found.words]
    if short:
        judged["all that is short"] = sum(short, Measure(0, 0, 0))
    if language == "en":
        return {name: found.grade for name, found in judged.items() if found.grade > hardest["en"]}
    return {name: found.ease for name, found in judged.items() if found.ease < hardest["es"]}


@pytest.mark.parametrize("language", ["en", "es"])
def test_pages_of_members_are_easy_to_read(scene, sign_in, settings, read, language):  # noqa: F811
    settings.ROOT_URLCONF = wrong_pages.UrlConf
    measures, long, unkind = {}, {}, {}
    for name, (person, address, *typed) in pages(scene).items():
        client = sign_in(person)
        client.raise_request_exception = False
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        response = client.post(address, *typed) if typed else client.get(address)
        texts = page_texts(response.content.decode(), language)
        found = read(name, texts, language)
        unkind[name] = [*blaming(" ".join(texts)), *A_USER.findall(" ".join(texts))]  # in words of libraries too
        if name not in AT_WORK | OF_A_LIBRARY:
            measures[name] = found
            long |= {
                words: name for text in texts for words in sentences(text) if len(words.split()) > LONGEST_SENTENCE
            }

    assert too_hard(measures, language, HARDEST) == {}
    assert long == {}
    assert {name: words for name, words in unkind.items() if words} == {}


@pytest.mark.parametrize("language", ["en", "es"])
def test_mails_are_easy_to_read(read, language):
    """Each template with everything it can say in it: as to somebody who agreed to full words, with a place."""
    told = {
        "rsvp": "going",
        "when": "10:00",
        "group_name": "Willow",
        "place": "12 Hidden Lane",
        "code": "ABCD-EFGH",
        "help_lines": [],
        "user": None,
    }
    measures = {}
    with translation.override(language):
        for path in sorted([*TEMPLATES.glob("*/mail/*.txt"), *TEMPLATES.glob("*/email/**/*_message.txt")]):
            name = str(path.relative_to(TEMPLATES))
            if "_letter" not in name and "_subject" not in name:
                texts = [render_to_string(name, told | {"is_in": answer}) for answer in (True, False)]
                paragraphs = {part for text in texts for part in text.split("\n\n")}
                measures[name] = read(name, sorted(paragraphs), language)

    assert len(measures) >= 8
    assert too_hard(measures, language, HARDEST) == {}


@pytest.mark.parametrize("language", ["en", "es"])
def test_promises_can_be_read_by_those_who_make_them(house_rules, read, language):
    rules = Agreement.objects.get(group=None, language=language, version=1)
    with translation.override(language):
        limits = page_texts(render_to_string("groups/_confidentiality.html"), language)
        texts = {
            "ground rules of the house": rules.text.split("\n\n"),
            "limits of confidentiality": limits,
            "consents": [str(words) for words in Consent.WORDS.values()],
        }
        measures = {name: read(name, words, language) for name, words in texts.items()}

    assert too_hard(measures, language, HARDEST_PROMISE) == {}
