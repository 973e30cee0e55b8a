"""Every page of test_look.py as it is sent, in both languages, and the style sheet, before W3C's Nu HTML checker."""

import json
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests import wrong_pages
from tests.test_look import pages, scene  # noqa: F401

CHECKOUT = Path(__file__).resolve().parent.parent
CHECKER = CHECKOUT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"


def faults(files: list[Path]) -> dict[str, list[str]]:
    """What the checker calls an error, by file. One process for all: most of its time it spends on starting."""
    if not CHECKER.exists():
        pytest.fail("The HTML checker is not installed: ./dev test does that.", pytrace=False)
    java = ["java", "-Xss4m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", str(CHECKER)]
    words = [*java, "--errors-only", "--format", "json", "--also-check-css", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = defaultdict(list)
    for fault in json.loads(done.stderr)["messages"]:
        name = Path(fault.get("url", "")).name
        found[name].append(f"{fault['message']} | {fault.get('extract', '')} (line {fault.get('lastLine')})")
    return dict(found)


def test_every_page_and_style_sheet_is_valid(scene, sign_in, tmp_path, settings):  # noqa: F811
    settings.ROOT_URLCONF = wrong_pages.UrlConf
    files = sorted((CHECKOUT / "static").glob("*.css"))
    for language, _ in settings.LANGUAGES:
        for name, (person, address, *typed) in pages(scene).items():
            client = sign_in(person)
            client.raise_request_exception = False
            client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
            response = client.post(address, *typed) if typed else client.get(address)
            files.append(tmp_path / f"{name}-{language}.html")
            files[-1].write_bytes(response.content)
            assert response.headers["Content-Type"] == "text/html; charset=utf-8", name
    page, style = tmp_path / "fault.html", tmp_path / "fault.css"
    page.write_text('<!doctype html><html lang="en"><title>x</title><p id="a"><p id="a">')
    style.write_text("a { colr: red; }")

    found = faults([*files, page, style])

    assert {"fault.html", "fault.css"} <= set(found)  # it does look
    assert {name: faults for name, faults in found.items() if not name.startswith("fault.")} == {}
