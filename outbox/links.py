"""Whole addresses of our pages, and what is signed in them, for mails: thousands at a time."""

from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings
from django.core.signing import TimestampSigner, b64_encode
from django.urls import reverse
from django.utils.crypto import salted_hmac

FILLED_IN = "00000000-0000-0000-0000-000000000000"  # fits where a token goes and where an id does


def link(name: str, argument: object) -> str:
    """The address of a page with one argument. `reverse` for each would cost as much as all else about a mail."""
    before, after = _around(name, settings.SITE_URL)
    return f"{before}{argument}{after}"


@lru_cache
def _around(name: str, site_url: str) -> tuple[str, str]:
    before, _argument, after = f"{site_url}{reverse(name, args=[FILLED_IN])}".partition(FILLED_IN)
    return before, after


def signed(words: Sequence[str], *, salt: str) -> str:
    """A token for an address, as `signing.dumps` makes it and `signing.loads` reads it, in half the time."""
    return _signer(salt, settings.SECRET_KEY).sign_object(words)


@lru_cache
def _signer(salt: str, secret: str) -> "_Signer":
    return _Signer(salt=salt, key=secret)


class _Signer(TimestampSigner):
    """Derives its key once, and not for each thing it signs."""

    def __init__(self, *, salt: str, key: str):
        super().__init__(salt=salt, key=key)
        self._begun = salted_hmac(f"{salt}signer", "", key, algorithm=self.algorithm)

    def signature(self, value, key=None):
        whole = self._begun.copy()
        whole.update(value.encode())
        return b64_encode(whole.digest()).decode()
