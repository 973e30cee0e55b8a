"""Text that only the site can read: encrypted with the keys of `FIELD_KEYS`, and bound to the row it belongs to.

The first key seals, all of them open, so that keys can be changed without a gap. What is sealed begins with what it is
about, so that text copied to another row does not open there. Pure but for the setting.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

END_OF_BINDING = "\0"


class BrokenSeal(Exception):
    """It was changed, belongs to another row, or was sealed with a key that is not here."""


def can_seal() -> bool:
    """Whether this site has keys. Without them nothing is taken that would have to be sealed."""
    return bool(settings.FIELD_KEYS)


def seal(text: str, *, about: str) -> str:
    return _box().encrypt(f"{about}{END_OF_BINDING}{text}".encode()).decode()


def unseal(sealed: str, *, about: str) -> str:
    try:
        bound_to, _end, text = _box().decrypt(sealed.encode()).decode().partition(END_OF_BINDING)
    except InvalidToken as error:
        raise BrokenSeal from error
    if bound_to != about:
        raise BrokenSeal
    return text


def is_sealed_with_first_key(sealed: str) -> bool:
    try:
        Fernet(settings.FIELD_KEYS[0]).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def seal_again(sealed: str) -> str:
    """The same with the first key, and still bound to the same row."""
    try:
        return _box().rotate(sealed.encode()).decode()
    except InvalidToken as error:
        raise BrokenSeal from error


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
