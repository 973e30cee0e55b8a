"""The site with pages that go wrong on purpose, so that each error page can be looked at."""

from allauth.core.ratelimit import respond_429
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.shortcuts import render
from django.urls import include, path

from recovery_groups import errors, styleguide, urls


def incomplete(request):
    raise SuspiciousOperation


def forbidden(request):
    raise PermissionDenied


def broken(request):
    raise RuntimeError("something of ours is broken, on purpose")


def looked_after(request):
    return render(request, "503.html", status=503)


WRONG = {
    "400": (incomplete, 400),
    "403": (forbidden, 403),
    "csrf": (errors.csrf_failure, 403),
    "429": (respond_429, 429),
    "500": (broken, 500),
    "503": (looked_after, 503),
}


class UrlConf:
    """Give it to ROOT_URLCONF."""

    handler400 = urls.handler400
    urlpatterns = [
        *(path(f"wrong/{name}/", login_not_required(view)) for name, (view, _) in WRONG.items()),
        path("styleguide/", styleguide.styleguide, name="styleguide"),
        path("styleguide/shown/", login_not_required(styleguide.page)),
        path("", include(urls)),
    ]
