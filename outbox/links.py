"""Whole addresses of our pages, for mails: thousands at a time."""

from functools import lru_cache

from django.conf import settings
from django.urls import reverse

FILLED_IN = "00000000-0000-0000-0000-000000000000"  # fits where a token goes and where an id does


def link(name: str, argument: object) -> str:
    """The address of a page with one argument. `reverse` for each would cost as much as all else about a mail."""
    before, after = _around(name, settings.SITE_URL)
    return f"{before}{argument}{after}"


@lru_cache
def _around(name: str, site_url: str) -> tuple[str, str]:
    before, _argument, after = f"{site_url}{reverse(name, args=[FILLED_IN])}".partition(FILLED_IN)
    return before, after
