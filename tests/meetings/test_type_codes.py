"""Our type codes against the format's own list, `@code4recovery/spec`, which package-lock.json names."""

import json
import subprocess
from itertools import product
from pathlib import Path

import pytest

from groups.models import Group
from meetings import feed, public_feed
from tests.meetings.test_public_feed import weekly

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PROPOSED = {"BV-I", "D-HOH", "LO-I", "QSL", "RSL"}  # in the format's text, not in its list yet
PROGRAM = "console.log(JSON.stringify(require('@code4recovery/spec').getTypesForLanguage('en')))"


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """Code: what it means, in English."""
    if not (CHECKOUT / "node_modules" / "@code4recovery" / "spec").exists():
        pytest.fail("The list of type codes is not installed: ./dev test does that.", pytrace=False)
    done = subprocess.run(["node", "-e", PROGRAM], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_codes_we_read_are_those_of_the_format(names):
    assert set(names) == feed.TYPE_CODES - PROPOSED
    assert set(names) & PROPOSED == set()


def test_audiences_we_read_are_codes_of_the_format(names):
    assert {code for _, codes in feed.AUDIENCES for code in codes} - set(names) == set()


def test_everything_we_can_write_is_a_code_of_the_format(names):
    """Each audience, language, mode and closure there can be, with every yes and no."""
    yes_or_no = [name for name in public_feed.Weekly._fields if name.startswith(("is_", "gives_"))]
    written = set()
    for audience, language, mode, closure in product(
        Group.Audience.values, public_feed.LANGUAGE_TYPES, Group.Mode.values, ["", "place", "all"]
    ):
        for answer in (True, False):
            facts = {"audience": audience, "language": language, "mode": mode, "closure": closure}
            written |= set(public_feed.types(weekly(**facts, **dict.fromkeys(yes_or_no, answer))))

    assert written - set(names) == set()


def test_codes_mean_what_we_take_them_for(names):
    """Those we read or write by name: a code that came to mean something else would mislead people."""
    meanings = {
        "C": "Closed",
        "EN": "English",
        "LGBTQ": "LGBTQ",
        "M": "Men",
        "O": "Open",
        "POA": "Proof of Attendance",
        "S": "Spanish",
        "TC": "Location Temporarily Closed",
        "W": "Women",
        "X": "Wheelchair Access",
        "XT": "Cross Talk Permitted",
        "Y": "Young People",
    }

    assert {code: names[code] for code in meanings} == meanings
