"""What people set for themselves: how the site looks, what they are called, where they are signed in."""

from urllib.parse import urlencode

from allauth.mfa.recovery_codes.views import download_recovery_codes
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from outbox import bounces

from .. import services, time_zones
from ..forms import DisplayForm, DisplayNameForm

A_YEAR = 365 * 24 * 60 * 60


@require_safe
def settings_hub(request):
    return render(request, "members/settings.html")


@login_not_required
@require_http_methods(["GET", "POST"])
def display(request):
    """Language, time zone and size of the words: kept on the member, or in a cookie for whoever is not signed in."""
    form = DisplayForm(request.POST if request.method == "POST" else None, initial=_display_now(request))
    if form.is_valid():
        return _keep_display(request, form.cleaned_data)
    page = {"form": form, "zones": time_zones.to_choose_from(), "zone": request.zone}
    return render(request, "members/display.html", page, status=400 if form.errors else 200)


def _display_now(request) -> dict[str, str]:
    chosen = request.user.time_zone if request.user.is_authenticated else request.display.get("zone", "")
    return {"language": request.LANGUAGE_CODE, "time_zone": chosen, "text_size": request.text_size}


def _keep_display(request, chosen: dict[str, str]):
    response = redirect("members:display")
    if request.user.is_authenticated:
        services.change_display(request.user, **chosen)
    else:
        kept = urlencode({"text": chosen["text_size"], "zone": chosen["time_zone"]})
        _set_cookie(response, settings.DISPLAY_COOKIE_NAME, kept)
    _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, chosen["language"])
    with translation.override(chosen["language"]):
        messages.success(request, _("Kept. Every page now looks like this."))
    return response


def _set_cookie(response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=A_YEAR, httponly=True, samesite="Lax", secure=not settings.LOCAL)


@require_POST
def mail_works(request):
    """Send mail again to my address, which sent some back."""
    if bounces.try_address_again(request.user.pk):
        messages.success(request, _("Thank you. We send you mail again."))
    return redirect("my_week")


@login_not_required
def set_language(request):
    """The languages at the foot of each page. Signed in, mail follows too."""
    if request.method == "POST" and request.user.is_authenticated:
        services.change_language(request.user, request.POST.get("language", ""))
    return i18n.set_language(request)


@require_http_methods(["GET", "POST"])
def display_name(request):
    form = DisplayNameForm(
        request.POST if request.method == "POST" else None, initial={"display_name": request.user.display_name}
    )
    if form.is_valid():
        services.change_display_name(request.user, form.cleaned_data["display_name"])
        messages.success(request, _("Your name here is changed."))
        return redirect("members:settings")
    return render(request, "members/display_name.html", {"form": form}, status=400 if form.errors else 200)


def spare_codes(request):
    """allauth's file of codes for the day a phone is lost, under a name that tells nothing (PRV-06)."""
    response = download_recovery_codes(request)
    if response.has_header("Content-Disposition"):
        response["Content-Disposition"] = 'attachment; filename="codes.txt"'
    return response


@require_POST
def sign_out_everywhere(request):
    services.end_sessions(request.user)
    logout(request)
    messages.success(request, _("You are signed out on every device."))
    return redirect("account_login")
