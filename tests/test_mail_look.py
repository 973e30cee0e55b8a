"""Every mail as it is seen: its line on a locked phone, its text, and its HTML on a narrow screen, light and dark, in
both languages. Leaves pictures to be looked at."""

import re
from html import escape
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from outbox.kinds import Letter, editable_letters
from outbox.letters import Chosen, example_letter
from outbox.letters import letter as write
from outbox.wordings import LONGEST_SUBJECT, Words
from tests.browser import accessibility_faults, is_wider_than_the_window, shot

pytestmark = pytest.mark.browser

ON_A_LOCK_SCREEN = 45  # letters of a subject that a small phone shows
TELLING = r"recover|addict|sober|\bAA\b|\bgroup|recupera|adicc|consumo|alcohol|grupo|support|apoyo|terapia|counsel"
SEEN = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; font: 16px/1.4 system-ui; background: #28323a; color: #fff }}
article {{ margin: 12px; padding: 12px; border-radius: 12px; background: #0006 }}
p {{ margin: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }}
pre {{ margin: 12px; padding: 12px; background: #fff; color: #000; white-space: pre-wrap; overflow-wrap: anywhere }}
</style><article><p><small>Office</small></p><p><b>{subject}</b></p><p>{first_line}</p></article><pre>{text}</pre>"""
SMALL_ALONE = """links => links.filter((link) => getComputedStyle(link).display !== "inline")
  .filter((link) => link.getBoundingClientRect().height < 44).map((link) => link.innerText)"""


def letters(language: str) -> dict[str, Letter]:
    with translation.override(language):
        return {name: example_letter(editable) for name, editable in editable_letters().items()}


def longest_letters(language: str) -> dict[str, Letter]:
    """Those that few get, with as much in them as there can be: a reminder that may name its group, words of a
    coordinator, and somebody missed where nothing is to come.
    """
    known = editable_letters()
    with translation.override(language):
        facts = known["reminder-going"].example()
        named = {"group_name": "Wednesday evening walk-and-talk circle", "place": "Community house, 12 Hidden Lane"}
        words = Words("W" * LONGEST_SUBJECT, "Words " * 26, "A closing line.\n\n" + "And more of it. " * 20)
        return {
            "reminder-named": write("meetings/mail/reminder", facts | named),
            "reminder-words": write("meetings/mail/reminder", facts, Chosen(words)),
            "missed-none-to-come": write("meetings/mail/missed", known["missed"].example() | {"when": ""}),
        }


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_mail_is_at_ease_on_a_small_phone(browser, language):
    page = browser.new_context(viewport={"width": 320, "height": 640}).new_page()
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    faults = {}
    for name, letter in (letters(language) | longest_letters(language)).items():
        found = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_content(letter.html)
            found += [f"{scheme}: {fault}" for fault in accessibility_faults(page)]
            if is_wider_than_the_window(page):
                found.append("scrolls sideways at 320 px")
            found += [f"too small for a thumb: {words}" for words in page.locator("a").evaluate_all(SMALL_ALONE)]
            shot(page, f"mail-{name}-320-{scheme}-{language}")
        if page.locator("html").get_attribute("lang") != language:
            found.append("does not say its language")
        if re.search(r"<(img|script|link|iframe|form|object)\b|url\(", letter.html):
            found.append("has something that could be fetched or run")
        page.set_content(
            SEEN.format(**{part: escape(getattr(letter, part)) for part in ("subject", "first_line", "text")})
        )
        shot(page, f"mail-{name}-text-{language}")
        if found:
            faults[name] = found

    assert faults == {}
    assert asked_for == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_locked_phone_tells_nothing_and_what_it_tells_fits(language):
    shown = {name: f"{letter.subject}\n{letter.first_line}" for name, letter in letters(language).items()}

    assert {name: words for name, words in shown.items() if re.search(TELLING, words, re.IGNORECASE)} == {}
    assert {name: words for name, words in shown.items() if len(words.split("\n")[0]) > ON_A_LOCK_SCREEN} == {}


@pytest.mark.parametrize("language", ["en", "es"])
def test_text_and_html_lead_to_the_same_places(language):
    found = {}
    for name, letter in letters(language).items():
        in_text = set(re.findall(r"https?://[^\s<>\"']+", letter.text))
        in_html = set(re.findall(r'href="(https?://[^"]+)"', letter.html))
        if in_text != in_html:
            found[name] = in_text ^ in_html

    assert found == {}


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_mail_says_why_it_came(language):
    """At its end, in the text and in the HTML. An answer to somebody's own question says so at its beginning."""
    silent = {
        name
        for name, letter in letters(language).items()
        if "\n-- \n" not in letter.text or 'class="soft" style="margin: 24px' not in letter.html
    }

    assert silent == {"join-yes", "join-no"}


@pytest.mark.parametrize(
    ("language", "together"),
    [
        ("en", ["September 30,", "10:30 pm (PDT)", "I’m coming /", "I can’t make it"]),
        ("es", ["22:30 (PDT)", "Sí voy /", "No puedo ir"]),
    ],
)
def test_no_line_ends_within_a_time_or_a_choice(language, together):
    html = letters(language)["reminder-going"].html

    assert [words for words in together if words.replace(" ", "\N{NO-BREAK SPACE}") not in html] == []


# --- Mails about signing in: text alone, made by the library from our templates ---------------------------------------

FACTS = {
    "code": "K7Q-4PX",
    "from_email": "a-long-name-of-somebody@mail.example.org",
    "to_email": "another-long-name-of-somebody@mail.example.org",
    "deleted_email": "a-long-name-of-somebody@mail.example.org",
    "password_reset_url": "http://localhost:8000/accounts/password/reset/",
}


def mails_about_signing_in(language: str) -> dict[str, Letter]:
    folder = Path(settings.BASE_DIR) / "templates"
    found = {}
    with translation.override(language):
        for path in sorted(folder.glob("*/email/*_subject.txt")):
            name = path.relative_to(folder).as_posix().removesuffix("_subject.txt")
            subject = render_to_string(f"{name}_subject.txt", FACTS).strip()
            found[path.name.removesuffix("_subject.txt")] = Letter(
                subject, render_to_string(f"{name}_message.txt", FACTS).strip(), ""
            )
    return found


@pytest.mark.parametrize("language", ["en", "es"])
def test_mails_about_signing_in_tell_nothing_and_fit(browser, language):
    page = browser.new_context(viewport={"width": 320, "height": 640}).new_page()
    found = mails_about_signing_in(language)
    for name, letter in found.items():
        page.set_content(
            SEEN.format(**{part: escape(getattr(letter, part)) for part in ("subject", "first_line", "text")})
        )
        shot(page, f"mail-sign-in-{name}-text-{language}")
        assert not is_wider_than_the_window(page), name

    assert len(found) == 15
    assert [name for name, letter in found.items() if len(letter.subject) > ON_A_LOCK_SCREEN] == []
    told = {name: f"{letter.subject} {letter.text}" for name, letter in found.items()}
    assert {name: words for name, words in told.items() if re.search(TELLING, words, re.IGNORECASE)} == {}
