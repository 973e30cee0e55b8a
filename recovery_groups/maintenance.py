"""MAINTENANCE=on: the site says that it will be back, and touches no database.

Open stay what needs none: help, the choice of language, static files (WhiteNoise comes first) and the sign of life.
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

    def __call__(self, request):
        if request.path_info in self.open:
            # Who somebody is stands in the database, so for now everybody is a visitor. Their session is kept.
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
            return self.get_response(request)
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        add_never_cache_headers(response)
        return response
