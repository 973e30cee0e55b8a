"""How often a link from a mail may be used."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse


def too_many(request: HttpRequest, token: str, *, is_ours: bool) -> HttpResponse | None:
    """A page that asks to wait, or None.

    Whoever tries links that are not ours is counted by where they come from, and only they: mail services press the
    true ones for many people from one place, and look at them before anybody does. A true link is counted by itself,
    each time it is sent; looking at it writes nothing (EML-01).
    """
    if not is_ours:
        return ratelimit.consume_or_429(request, action="wrong_link", limit_get=True)
    if request.method == "POST":
        return ratelimit.consume_or_429(request, action="mail_link", key=token)
    return None
