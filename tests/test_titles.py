"""What stands in a tab or a history tells nothing (PRV-06): the titles of every page we draw."""

import re

import pytest

from tests import wrong_pages
from tests.test_look import pages, scene  # noqa: F401

TELLING = re.compile(
    r"recover|addict|sober|\bAA\b|\bNA\b|substance|therapy|crisis|recupera|adicc|consumo|alcohol|terapia|sobri",
    re.IGNORECASE,
)


@pytest.mark.parametrize("language", ["en", "es"])
def test_titles_tell_nothing(scene, sign_in, language, settings):  # noqa: F811
    settings.ROOT_URLCONF = wrong_pages.UrlConf
    names = [scene.willow.name, scene.full.group.name, scene.mia.display_name]
    titles = {}
    for name, (person, address, *typed) in pages(scene).items():
        client = sign_in(person)
        client.raise_request_exception = False
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        html = (client.post(address, *typed) if typed else client.get(address)).content.decode()
        titles[name] = re.search(r"<title>(.*?)</title>", html, re.DOTALL).group(1)

    telling = {name: title for name, title in titles.items() if TELLING.search(title) or any(n in title for n in names)}
    assert telling == {}
    assert [name for name, title in titles.items() if not title.split("·")[0].strip()] == []
