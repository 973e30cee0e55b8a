"""What is private is kept by no cache and found by no search engine; what should be found can be (PRV-19)."""

import re

import pytest
from django.urls import reverse

from members.middleware import FOUND_BY_SEARCH
from tests.test_access import ALLAUTH_PRIVATE, ALLAUTH_PUBLIC, TABLE, url_of

# What a visitor should find, with a search engine too. Every other address is private.
FOUND = {
    "home",
    "members:help_now",
    "centre:contact",
    "groups:first_time",
    "groups:group_detail",
    "meetings:meeting_list",
    "meetings:meeting_detail",
    "meetings:public_feed",
    "meetings:sitemap",
    "meetings:robots",
}
FOR_OTHER_SITES = {"meetings:embed"}  # shown in their pages, and kept by caches on the way
GETS = [(name, thing) for name, row in TABLE.items() for thing in row.get("GET", {})]


def is_indexed(answer) -> bool:
    meta = re.search(rb'<meta name="robots" content="[^"]*noindex', answer.content)
    return "noindex" not in answer.headers.get("X-Robots-Tag", "") and meta is None


def may_be_shared(answer) -> bool:
    """Whether a cache between may keep it for somebody else."""
    said = set(answer.headers.get("Cache-Control", "").split(", "))
    return not said & {"no-store", "private"}


def test_what_is_found_are_addresses_of_ours():
    assert set(TABLE) >= FOUND | FOR_OTHER_SITES
    assert FOUND == FOUND_BY_SEARCH


@pytest.mark.parametrize(("name", "thing"), GETS)
def test_page_is_private_unless_it_should_be_found(name, thing, cast, client, sign_in):
    url = url_of(name, thing, cast)

    visitor, member = client.get(url), sign_in(cast.mia).get(url)

    if visitor.status_code == 200:
        assert is_indexed(visitor) == (name in FOUND)
        assert name in FOUND | FOR_OTHER_SITES or not may_be_shared(visitor)
    else:
        assert not is_indexed(visitor)
        assert name in FOR_OTHER_SITES or not may_be_shared(visitor)
    assert not is_indexed(member)
    assert not may_be_shared(member)


@pytest.mark.parametrize("name", sorted(ALLAUTH_PUBLIC | ALLAUTH_PRIVATE))
def test_pages_of_signing_in_are_private(name, cast, client, sign_in):
    url = reverse(name, args=[1] if name in ("mfa_edit_webauthn", "mfa_remove_webauthn") else [])

    answers = [client.get(url), sign_in(cast.mia).get(url), client.post(url)]

    assert [is_indexed(answer) for answer in answers] == [False] * 3
    assert [may_be_shared(answer) for answer in answers] == [False] * 3


def test_what_is_not_there_is_not_found_either(client, db):
    answer = client.get("/nothing-here/")

    assert not is_indexed(answer)
    assert not may_be_shared(answer)
