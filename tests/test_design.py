"""The look, held by figures: contrast of the colours, no colour beside them, every part of a page in one place."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

from recovery_groups.colours import EDGES, READ_AT_LEAST, SCHEMES, SEEN_AT_LEAST, TEXT, colours, contrast
from tests import wrong_pages

CHECKOUT = Path(__file__).resolve().parent.parent
STYLE = (CHECKOUT / "static" / "site.css").read_text()


def test_contrast_is_what_the_guidelines_say():
    assert round(contrast("#ffffff", "#000000"), 1) == 21.0
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_can_be_read(scheme):
    named = colours(scheme)

    weak = {pair: contrast(*(named[name] for name in pair)) for pair in TEXT}

    assert {pair: round(ratio, 2) for pair, ratio in weak.items() if ratio < READ_AT_LEAST} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_control_can_be_seen(scheme):
    named = colours(scheme)

    weak = {pair: contrast(*(named[name] for name in pair)) for pair in EDGES}

    assert {pair: round(ratio, 2) for pair, ratio in weak.items() if ratio < SEEN_AT_LEAST} == {}


def test_dark_is_one_dark():
    assert colours("dark") == colours("dark, chosen")
    assert set(colours("light")) == set(colours("dark"))


def test_every_colour_is_a_token():
    """A colour written beside the tokens would be the same in the dark, and nobody would compute its contrast."""
    painted = STYLE.split("/* What Bootstrap's components are painted with */")[1].split("@media print")[0]
    painted = re.sub(r".*::backdrop .*", "", painted)  # a veil over the page: older browsers give it no tokens

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*;)|\b(?:rgb|hsl)a?\(", painted) == []


def test_every_token_used_is_defined():
    used = set(re.findall(r"var\((--[\w-]+)", STYLE))

    assert {name for name in used if not re.search(rf"{name}: ", STYLE)} == set()


def test_bootstrap_is_as_published():
    """Its file is not edited, but for the line that names a source map we do not serve; its licence stays on top."""
    (file,) = (CHECKOUT / "static" / "vendor").glob("bootstrap-*.min.css")
    text = file.read_text()

    assert "Licensed under MIT" in text[:400]
    assert "sourceMappingURL" not in text
    assert file.name == f"bootstrap-{re.search(r'Bootstrap  v([0-9.]+)', text).group(1)}.min.css"
    assert (
        '<link rel="stylesheet" href="{% static \'vendor/' + file.name
        in (CHECKOUT / "templates" / "base.html").read_text()
    )


# The style guide


def test_styleguide_shows_every_component(cast, client, settings):
    settings.ROOT_URLCONF, settings.DEBUG = wrong_pages.UrlConf, True

    response = client.get("/styleguide/")

    used = {template.name for template in response.templates}
    components = {f"components/{file.name}" for file in (CHECKOUT / "templates" / "components").glob("*.html")}
    assert response.status_code == 200
    assert components - used == {"components/next_steps.html"}
    assert "Willow evening" in response.content.decode()
    for name in colours("light"):
        assert f"--{name}" in response.content.decode()


def test_styleguide_is_not_for_people(client, db, settings):
    assert client.get("/styleguide/").status_code == 404
    settings.ROOT_URLCONF = wrong_pages.UrlConf
    assert reverse("styleguide") == "/styleguide/"
    assert client.get("/styleguide/").status_code == 404
