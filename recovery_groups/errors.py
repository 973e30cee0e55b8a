"""Pages for when something is wrong: what happened, what is safe, what to do."""

from urllib.parse import urlsplit

from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme


def bad_request(request, exception):
    return render(request, "400.html", status=400)


def csrf_failure(request, reason=""):
    """Nothing was done with what was sent. The way back is the page with the form, if that is one of ours."""
    return render(request, "403_csrf.html", {"back_url": _own_page(request)}, status=403)


def _own_page(request) -> str:
    """The path of the page somebody came from; nothing if the browser does not say, or it is not on this site."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return ""
    page = urlsplit(referer)
    if not page.netloc:
        return ""
    # One slash in front: with two it would be the name of another site.
    return "/" + page.path.lstrip("/\\") + (f"?{page.query}" if page.query else "")
