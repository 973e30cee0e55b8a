"""MAINTENANCE=on: the site says that it will be back, and touches no database.

Open stay what needs none: help, the choice of language, leaving, static files (WhiteNoise comes first) and the sign of
life.
"""

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

RETRY_AFTER_SECONDS = 600


class MaintenanceMiddleware:
    def __init__(self, get_response):
        if not settings.MAINTENANCE:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.open = {reverse(name) for name in ("members:help_now", "set_language", "healthz")}
        self.leave = reverse("members:leave_page")

    def __call__(self, request):
        # Who somebody is stands in the database, so for now everybody is a visitor. Their session is kept, but for who
        # leaves: there is no way back to it from this device.
        if request.path_info in self.open:
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
            return self.get_response(request)
        if request.path_info == self.leave and request.method == "POST":
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
            response = self.get_response(request)
            response.delete_cookie(settings.SESSION_COOKIE_NAME, samesite=settings.SESSION_COOKIE_SAMESITE)
            return response
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        add_never_cache_headers(response)
        return response
