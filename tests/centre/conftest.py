import time

import pytest
from django.core import signing
from django.core.cache import cache

from centre.forms import STAMP_SALT


@pytest.fixture
def stamp():
    """A form that was opened so many seconds ago."""
    made = iter(range(1_000))

    def stamp(seconds_ago: float = 60) -> str:
        return signing.dumps([f"form-{next(made)}", int(time.time() - seconds_ago)], salt=STAMP_SALT)

    return stamp


@pytest.fixture
def form(stamp):
    """What a person sends who fills in everything."""
    return {
        "message": "Is there a step at the door?",
        "name": "Kim",
        "reach": "kim@example.org",
        "good_time": "after five",
        "may_leave_message": "yes",
        "website": "",
        "stamp": stamp(),
    }


@pytest.fixture(autouse=True)
def _fresh_limits(db):
    """The count of questions from one address outlives a test that commits."""
    cache.clear()
