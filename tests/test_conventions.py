"""What we agreed on, checked: words, titles, names, addresses of other hosts."""

import gzip
import importlib
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from outbox.banned_words import blaming

CHECKOUT = Path(__file__).resolve().parent.parent
APPS = ["audit", "centre", "groups", "lab", "meetings", "members", "outbox", "reports"]
TEXTS = [
    *CHECKOUT.glob("templates/**/*.*"),
    *CHECKOUT.glob("static/*.*"),
    *CHECKOUT.glob("locale/**/*.po"),
    *CHECKOUT.glob("docs/**/*.md"),
    *CHECKOUT.glob("*.md"),
    *(path for app in [*APPS, "recovery_groups"] for path in CHECKOUT.glob(f"{app}/**/*.py")),
]
TEXTS.remove(CHECKOUT / "outbox/banned_words.py")  # where they are listed


def test_blaming_words_are_found():
    said = "A sober Addict relapsed: a no-show, dropped out. Alcoholics Anonymous, relapse prevention, patience, clean."
    dicho = "Una persona adicta, alcohólica, tuvo una recaída por abuso de drogas. Un paciente; prevención de recaídas."

    assert blaming(said) == ["sober", "Addict", "relapsed", "no-show", "dropped out"]
    assert blaming(dicho) == ["adicta", "alcohólica", "recaída", "abuso de", "paciente"]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_words_put_the_person_first(path):
    assert blaming(path.read_text()) == []


@pytest.mark.parametrize("path", list(CHECKOUT.glob("templates/**/*_subject.txt")), ids=lambda path: path.name)
def test_subjects_tell_nothing(path):
    """But to those who agreed to full words: `group_name` is empty for everybody else."""
    unless_agreed = re.sub(r"{% if group_name %}.*?{% else %}", "", path.read_text())

    assert not re.search(r"recover|addict|sober|\bAA\b|group|grupo|support|therapy", unless_agreed, re.IGNORECASE)


def test_nothing_is_loaded_from_another_host():
    loads = re.compile(
        r"""(?:src|srcset|action)=["']https?://|<link[^>]+href=["']https?://|url\(["']?https?://|@import"""
    )
    pages = [*CHECKOUT.glob("templates/**/*.html"), *CHECKOUT.glob("static/**/*.css"), *CHECKOUT.glob("static/**/*.js")]

    assert [path.name for path in pages if loads.search(path.read_text())] == []


def test_pages_have_no_inline_style_or_script():
    """A block of data, for search engines or for a script in a file, is no script: nothing runs it."""
    inline = re.compile(
        r"""<style|<script(?![^>]*\bsrc=)(?! type="application/(?:ld\+)?json"[ >])|\sstyle=|\son[a-z]+=""",
        re.IGNORECASE,
    )
    pages = [path for path in CHECKOUT.glob("templates/**/*.html") if "mail" not in path.parent.name]

    assert [str(path) for path in pages if inline.search(path.read_text())] == []


def test_every_migration_says_what_it_does():
    names = [path.stem for app in APPS for path in CHECKOUT.glob(f"{app}/migrations/0*.py")]

    assert [name for name in names if "_auto_" in name or name.endswith("_initial")] == []


def test_every_tick_of_beat_finds_its_task():
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        module, name = entry["task"].rsplit(".", 1)
        assert getattr(importlib.import_module(module), name).name == entry["task"]


def test_every_app_says_who_sees_its_rows():
    """A model the admin can list has a QuerySet that knows `visible_to`."""
    from django.contrib import admin

    ours = [model for model in admin.site._registry if model._meta.app_label in APPS]

    assert ours
    assert [model for model in ours if not hasattr(model._default_manager, "visible_to")] == []


def test_admin_lists_no_model_of_a_library():
    from django.contrib import admin

    assert [model for model in admin.site._registry if model._meta.app_label not in APPS] == []


def test_imports_go_one_way():
    result = subprocess.run(["lint-imports"], cwd=CHECKOUT, capture_output=True, text=True)

    assert result.returncode == 0, result.stdout


def test_first_page_is_light(client, db):
    """What a cheap phone on metered data loads first: the page as it is sent, and each file it names, compressed."""
    page = client.get("/").content
    files = set(re.findall(rb"""(?:href|src)="/static/([^"]+)""", page))
    transferred = sum(len(gzip.compress((CHECKOUT / "static" / name.decode()).read_bytes())) for name in files)

    assert len(files) >= 3
    assert len(page) + transferred < 80_000
