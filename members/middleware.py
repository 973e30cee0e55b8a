from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

WORK_ADDRESSES = ("/admin/", "/reports/")


class MemberLanguageMiddleware:
    """Signed in, the site speaks the language the person chose, whatever device they are on."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class StaffSecondFactorMiddleware:
    """No page of the admin or of the reports for a role that has no second factor yet (SEC-04)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if (
            settings.STAFF_MFA_REQUIRED
            and request.path.startswith(WORK_ADDRESSES)
            and request.user.is_authenticated
            and request.user.works_here
            and not is_mfa_enabled(request.user)
        ):
            messages.info(request, _("To work here, first add a second way to sign in."))
            return redirect("mfa_index")
        return self.get_response(request)


class PrivatePagesMiddleware:
    """What a signed-in person sees is kept by no cache and found by no search engine."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated:
            add_never_cache_headers(response)
            response["X-Robots-Tag"] = "noindex"
        return response
