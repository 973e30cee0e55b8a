"""Spanish is complete, compiled and really what a reader of Spanish sees, in pages and in mail."""

import gettext
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.html import strip_tags

import outbox.services as outbox
from meetings.services.reminders import reminder_fact
from outbox import kinds
from outbox.models import Email
from tests import make

CHECKOUT = Path(__file__).resolve().parent.parent
CATALOG = CHECKOUT / "locale" / "es" / "LC_MESSAGES" / "django"
WITH_WORDS = [
    "audit",
    "centre",
    "lab",
    "groups",
    "locale",
    "manage.py",
    "meetings",
    "members",
    "outbox",
    "recovery_groups",
    "reports",
    "templates",
]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|</?[a-z][^>]*>")
ENGLISH = re.compile(
    r"\b(the|you|your|and|of|with|until|sign|find|week|help|password|e-mail|place|places|answer|waiting|online|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="session")
def _gettext():
    if not (shutil.which("xgettext") and shutil.which("msgfmt")):
        pytest.fail("gettext is missing: sudo apt install gettext", pytrace=False)


def run(*words, cwd=CHECKOUT) -> str:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def catalog(path: Path) -> dict:
    """English to Spanish; a plural is keyed by the English singular and the number of its form."""
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]


def translations() -> dict:
    return {key: words for key, words in catalog(CATALOG.with_suffix(".mo")).items() if key}


@pytest.mark.usefixtures("_gettext")
def test_every_word_is_translated(tmp_path):
    for name in WITH_WORDS:
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(CHECKOUT / name, tmp_path)
    run(sys.executable, "manage.py", "makemessages", "-l", "es", "--no-location", "--no-wrap", cwd=tmp_path)
    extracted = tmp_path / "locale" / "es" / "LC_MESSAGES" / "django.po"

    assert {kind: english(extracted, kind) for kind in ("--untranslated", "--only-fuzzy", "--only-obsolete")} == {
        "--untranslated": [],
        "--only-fuzzy": [],
        "--only-obsolete": [],
    }


def english(catalog_text: Path, which: str) -> list[str]:
    entries = run("msgattrib", which, "--no-wrap", catalog_text).split("\n\n")[1:]  # after the header
    return [line for entry in entries for line in entry.splitlines() if line.startswith(("msgid ", "#~ msgid "))]


@pytest.mark.usefixtures("_gettext")
def test_compiled_catalog_is_that_of_the_text(tmp_path):
    run("msgfmt", "--check", "-o", tmp_path / "django.mo", CATALOG.with_suffix(".po"))

    assert catalog(CATALOG.with_suffix(".mo")) == catalog(tmp_path / "django.mo")


def test_placeholders_agree():
    differing = [
        (english, spanish)
        for english, spanish in translations().items()
        if sorted(PLACEHOLDER.findall(english if isinstance(english, str) else english[0]))
        != sorted(PLACEHOLDER.findall(spanish))
    ]

    assert differing == []


def test_spanish_puts_the_person_first():
    blaming = re.compile(
        r"\b(adict\w*|alcohólic\w*|drogadict\w*|abus(o|ar) de|recaíd\w*|recaer|paciente\w*|limpi[oa]s?|sobri[oa]s?)\b",
        re.IGNORECASE,
    )

    assert [words for words in translations().values() if blaming.search(words)] == []


@pytest.mark.parametrize("kind", ["reminder", "cancelled", "moved", "offer"])
def test_spanish_subjects_tell_nothing(kind):
    with translation.override("es"):
        subject = render_to_string(f"meetings/mail/{kind}_subject.txt", {"when_short": "mar 18:30 (PST)"}).strip()

    assert subject.endswith(": mar 18:30 (PST)")
    assert not ENGLISH.search(subject)
    assert not re.search(r"grupo|reuni|recupera|apoyo|ayuda|terapia|adicc|consumo", subject, re.IGNORECASE)


@pytest.mark.parametrize(
    ("page", "heading"),
    [
        ("home", "No tiene que pasar por esto sin compañía."),
        ("meetings:meeting_list", "Buscar una reunión"),
        ("account_signup", "Crear una cuenta"),
        ("account_login", "Iniciar sesión"),
        ("members:help_now", "Ayuda ahora"),
    ],
)
def test_page_speaks_spanish(cast, client, page, heading):
    type(cast.willow).objects.update(name="Sauce", area="Ribera")

    html = client.get(reverse(page), headers={"accept-language": "es-US,es;q=0.9"}).content.decode()

    assert '<html lang="es">' in html
    assert f"<h1>{heading}</h1>" in html
    assert ENGLISH.findall(words_of(html)) == []


@pytest.mark.parametrize("rsvp", ["going", None])
def test_reminder_speaks_spanish(cast, settings, rsvp):
    settings.REMIND_HOURS = (0, 24)
    mia = make.member("Mía", language="es", reminders=True)
    make.membership(cast.willow, mia)
    meeting = cast.willow_meeting
    if rsvp:
        make.participation(meeting, mia, rsvp)
    fact = reminder_fact(meeting.starts_at)
    outbox.queue("reminder", [mia.pk], about_id=meeting.pk, fact=fact, expires_at=meeting.starts_at)

    [letter] = kinds.get("reminder").prepare(list(Email.objects.select_related("recipient"))).values()

    assert letter.subject.startswith("Recordatorio: ")
    assert letter.text.startswith("Tiene una reunión el " if rsvp else "Hay una reunión el ")
    assert '<html lang="es">' in letter.html
    for part in (letter.subject, letter.text, letter.html):
        assert ENGLISH.findall(words_of(part)) == []


def words_of(text: str) -> str:
    """What a person reads of a page or a mail: no tags, style sheets or addresses."""
    text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return re.sub(r"https?://\S+", "", unescape(strip_tags(text)))
