from urllib.parse import urlsplit

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from members.models import Consent
from members.services import give_consent

from . import access, services
from .forms import JoinForm
from .models import Agreement, Group, Invitation, Membership, Phase

USUAL_MINUTES = 90


@login_not_required
@require_safe
def group_detail(request, slug):
    group = access.get_group(request, slug)
    agreement = Agreement.objects.current_for(group)
    membership, owes_agreement = None, False
    if request.user.is_authenticated:
        membership = Membership.objects.filter(group=group, member=request.user).first()
        is_in = membership is not None and membership.status == Membership.Status.ACTIVE
        owes_agreement = is_in and not services.has_accepted(agreement, request.user)
    return render(
        request,
        "groups/group_detail.html",
        {
            "group": group,
            "membership": membership,
            "agreement": agreement,
            "owes_agreement": owes_agreement,
            "facilitators": group.facilitators.select_related("member").order_by("-role", "pk"),
        },
    )


@login_not_required
@require_safe
def first_time(request):
    """What a first meeting is like, for anybody."""
    return render(request, "groups/first_time.html", {"sequence": Phase.usual(USUAL_MINUTES)})


@require_http_methods(["GET", "POST"])
def group_join(request, slug):
    """Read the ground rules and join; afterwards back to the page one came from (`next`).

    Whoever was on the way to a place says so in the same form: where they are let in at once, it goes on to the answer.
    """
    group = access.get_group(request, slug)
    agreement = Agreement.objects.current_for(group)
    next_url = _safe_next(request) or group.get_absolute_url()
    if words := _why_not_join(request.user, group):
        messages.info(request, words)
        return redirect(group)
    form = JoinForm(request.POST if request.method == "POST" else None, agreement=agreement)
    if form.is_valid():
        membership = services.join_group(group, by=request.user, agreement=agreement)
        if form.cleaned_data["reminders"]:
            give_consent(request.user, Consent.Kind.REMINDERS)
        if membership is None:
            messages.info(request, _("This group takes new people by invitation only."))
            return redirect(group)
        return _welcome(request, membership, next_url)
    page = {
        "group": group,
        "agreement": agreement,
        "form": form,
        "next": next_url,
        "takes_place": _is_answer(next_url),
        "has_reminders": _has_reminders(request.user),
    }
    return render(request, "groups/group_join.html", page, status=400 if form.is_bound else 200)


def _why_not_join(member, group: Group) -> str:
    """In words, what keeps somebody from joining or asking; nothing for who is in it and may owe the rules a look."""
    membership = Membership.objects.filter(group=group, member=member).first()
    status = membership.status if membership else None
    if status == Membership.Status.REQUESTED and group.enrolment != Group.Enrolment.OPEN:
        return _("You have asked already. A counselor will answer.")
    if status != Membership.Status.ACTIVE and group.enrolment == Group.Enrolment.CLOSED:
        return _("This group takes new people by invitation only.")
    return ""


def _welcome(request, membership: Membership, next_url: str):
    """On from a form that was accepted: to where one wanted to go, or to the group if a counselor answers first."""
    if membership.status == Membership.Status.REQUESTED:
        messages.success(request, _("We have passed on your request. A counselor will answer."))
        return redirect(membership.group)
    messages.success(request, _("You are in the group. Welcome."))
    response = HttpResponseRedirect(next_url)
    if _is_answer(next_url) and "answer" in request.POST:
        response.status_code = 307  # the browser sends the form on as it stands
    return response


def _is_answer(url: str) -> bool:
    """Whether this is where one answers for a meeting: no other page may be sent what was meant for this one."""
    try:
        return resolve(urlsplit(url).path).view_name == "meetings:meeting_rsvp"
    except Resolver404:
        return False


def _has_reminders(member) -> bool:
    return Consent.objects.standing().filter(member=member, kind=Consent.Kind.REMINDERS).exists()


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request, token):
    """Join a group by a link that works once. Looking changes nothing, and names no group to who is not signed in.

    The address goes to no other site (Referrer-Policy: same-origin, as on every page). It could be kept from our own
    pages too, but then browsers send the form without its origin, and the protection against forgery refuses it.
    """
    if stopped := ratelimit.consume_or_429(request, action="invitation", limit_get=True):
        return stopped
    response = _open_invitation(request, token)
    response["X-Robots-Tag"] = "noindex"
    return response


def _open_invitation(request, token: str):
    found = access.find_invitation(token)
    if found is None:
        return _invitation_has_ended(request, token)
    if not request.user.is_authenticated:
        if request.method == "POST":
            return redirect_to_login(request.path)
        return render(request, "groups/invitation.html", {"invitation": found})
    if Membership.objects.active().filter(group=found.group, member=request.user).exists():
        messages.info(request, _("You are in this group already. The invitation still works for somebody else."))
        return redirect(found.group)
    return _accept_invitation(request, found, token)


def _accept_invitation(request, found: Invitation, token: str):
    group, agreement = found.group, Agreement.objects.current_for(found.group)
    form = JoinForm(request.POST if request.method == "POST" else None, agreement=agreement)
    if form.is_valid():
        membership = services.accept_invitation(found, by=request.user, agreement=agreement)
        if membership is None:
            return _invitation_has_ended(request, token)
        if form.cleaned_data["reminders"]:
            give_consent(request.user, Consent.Kind.REMINDERS)
        return _welcome(request, membership, group.get_absolute_url())
    page = {
        "invitation": found,
        "group": group,
        "agreement": agreement,
        "form": form,
        "has_reminders": _has_reminders(request.user),
    }
    return render(request, "groups/invitation.html", page, status=400 if form.is_bound else 200)


def _invitation_has_ended(request, token: str):
    """To their group for who came in by it, and tapped twice. For everybody else one page for a link that was used,
    taken back, is too old or never was: it tells nobody which."""
    joined = access.group_joined_by(token, request.user) if request.user.is_authenticated else None
    return redirect(joined) if joined else render(request, "groups/invitation_gone.html", status=404)


def _safe_next(request) -> str:
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=not settings.LOCAL)
    return url if safe and url.startswith("/") else ""
