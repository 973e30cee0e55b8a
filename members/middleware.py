from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.contrib.auth import middleware as django_auth
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from . import session_limits
from .models import Member
from .time_zones import is_time_zone

ACCOUNT_PAGES = "accounts/"
CLOSED = "closed"
NOTHING_TO_KEEP = {"members:stay", "members:draft", "members:draft_send", "members:sign_out_everywhere"}
FOUND_BY_SEARCH = {
    "home",
    "groups:first_time",
    "groups:group_detail",
    "meetings:meeting_list",
    "meetings:meeting_detail",
    "meetings:public_feed",
    "meetings:sitemap",
    "meetings:robots",
    "members:help_now",
    "centre:contact",
}
SAME_FOR_EVERYBODY = {
    "home",
    "groups:first_time",
    "healthz",
    "readyz",
    "metrics",
    "set_language",
    "members:display",
    "members:help_now",
    "members:leave_page",
    "members:stay",
    "meetings:meeting_list",
    "meetings:answer_from_mail",
    "meetings:calendar_feed",
    "meetings:group_calendar",
    "meetings:embed",
    "meetings:public_feed",
    "meetings:robots",
    "meetings:sitemap",
    "meetings:verify",
    "outbox:unsubscribe",
    "centre:contact",
    "centre:sent",
}


class AuthenticationMiddleware(django_auth.AuthenticationMiddleware):
    """Django's own, which need not ask for a member who came along with their session (`members.sessions`).

    It takes one whom Django would take: the session names them and holds the hash of their password as it is, and their
    account is open. Whatever is otherwise goes Django's way.
    """

    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: self._user_of(request))

    def _user_of(self, request):
        if member := self._came_along(request):
            request._cached_user = member
        return django_auth.get_user(request)

    def _came_along(self, request) -> Member | None:
        named = request.session.get(SESSION_KEY)  # looks at the session
        member = getattr(request.session, "member", None)
        if member is None or named != str(member.pk) or not member.is_active:
            return None
        if request.session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
            return None
        hashed = request.session.get(HASH_SESSION_KEY, "")
        return member if constant_time_compare(hashed, member.get_session_auth_hash()) else None


class SessionLimitsMiddleware:
    """Ends a session that is over, and keeps what was just being sent for when the same person signs in again.

    What a script asks by itself (marked X-Background, or a HEAD) does not count as somebody being there.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.ended = None
        if not request.user.is_authenticated:
            if SESSION_KEY in request.session:  # signed in once, and the account was closed since
                logout(request)
                request.ended = CLOSED
        elif session_limits.left_of(request.session, request.user).seconds <= 0:
            request.ended = request.user.pk
            logout(request)
        else:
            session_limits.draft_of(request.session, request.user)
            if request.method != "HEAD" and "X-Background" not in request.headers:
                session_limits.note_activity(request.session)
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.ended is None or not getattr(view, "login_required", True):
            return None
        if request.ended == CLOSED:
            return redirect("account_inactive")
        if request.method != "POST":
            messages.info(request, _("You were signed out after a while. Please sign in again."))
            return None
        page = request.resolver_match
        kept = (
            page.view_name not in NOTHING_TO_KEEP
            and not page.route.startswith(ACCOUNT_PAGES)
            and not request.FILES
            and session_limits.keep_draft(
                request.session, request.ended, request.get_full_path(), dict(request.POST.lists())
            )
        )
        if kept:
            messages.info(request, _("You were signed out before this was sent. Sign in, and it is still there."))
            return redirect(reverse("account_login", query={"next": reverse("members:draft")}))
        messages.info(request, _("You were signed out before this was sent. Please sign in and do it once more."))
        return redirect(reverse("account_login", query={"next": reverse("my_week")}))


class MemberLanguageMiddleware:
    """Signed in, the site speaks the language the person chose, whatever device they are on."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class DisplayMiddleware:
    """`request.zone` and `request.text_size`: how to show times and words.

    What a member chose comes first, then what a visitor chose (`request.display`, from a cookie), then what the device
    says. `zone` is None while nobody has said; an unknown name is passed over.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.display = {} if request.user.is_authenticated else self._chosen_by_visitor(request)
        chosen = getattr(request.user, "time_zone", "") or request.display.get("zone", "")
        name = chosen or request.COOKIES.get(settings.ZONE_COOKIE_NAME, "")
        request.zone = ZoneInfo(name) if name and is_time_zone(name) else None
        size = getattr(request.user, "text_size", "") or request.display.get("text", "")
        request.text_size = size if size in Member.TextSize.values else Member.TextSize.NORMAL.value
        return self.get_response(request)

    def _chosen_by_visitor(self, request) -> dict[str, str]:
        try:
            return dict(parse_qsl(request.COOKIES.get(settings.DISPLAY_COOKIE_NAME, ""), max_num_fields=5))
        except ValueError:
            return {}


class StaffSecondFactorMiddleware:
    """Whoever works here uses the site only in a session in which they have shown their second factor (SEC-04).

    One rule for every page, by who asks and not by what is asked for: their role shows itself on members' pages too.
    Open stay the account pages, to add or show the factor, and pages that are the same for everybody.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        page = request.resolver_match
        member = request.user
        if (
            not settings.STAFF_MFA_REQUIRED
            or not (member.is_authenticated and member.works_here)
            or page.view_name in SAME_FOR_EVERYBODY
            or page.route.startswith(ACCOUNT_PAGES)
            or _has_shown_second_factor(request)
        ):
            return None
        if is_mfa_enabled(member):
            return redirect(reverse("mfa_reauthenticate", query={"next": request.get_full_path()}))
        messages.info(request, _("To work here, first add a second way to sign in."))
        return redirect("mfa_index")


def _has_shown_second_factor(request) -> bool:
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


class PrivatePagesMiddleware:
    """Pages are kept by no cache and found by no search engine, but for those a visitor should find (PRV-19).

    The rule is by what is found, so that a new page is private until somebody says otherwise: whatever a signed-in
    person sees, pages of signing in, and those that a link in a mail opens. What a view says of caches itself stands.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        page = request.resolver_match.view_name if request.resolver_match else ""
        is_found = page in FOUND_BY_SEARCH and response.status_code < 400
        if request.user.is_authenticated or not (is_found or response.has_header("Cache-Control")):
            add_never_cache_headers(response)
        if request.user.is_authenticated or not is_found:
            response["X-Robots-Tag"] = "noindex"
        return response
