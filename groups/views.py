from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from members.models import Consent
from members.services import give_consent

from . import access, services
from .forms import JoinForm
from .models import Agreement, Group, Membership, Phase

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
    """Read the ground rules and join; afterwards back to the meeting one came from (`next`)."""
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
        if membership.status == Membership.Status.REQUESTED:
            messages.success(request, _("We have passed on your request. A counselor will answer."))
            return redirect(group)
        messages.success(request, _("You are in the group. Welcome."))
        return HttpResponseRedirect(next_url)
    has_reminders = Consent.objects.standing().filter(member=request.user, kind=Consent.Kind.REMINDERS).exists()
    return render(
        request,
        "groups/group_join.html",
        {"group": group, "agreement": agreement, "form": form, "next": next_url, "has_reminders": has_reminders},
        status=400 if form.is_bound else 200,
    )


def _why_not_join(member, group: Group) -> str:
    """In words, what keeps somebody from joining or asking; nothing for who is in it and may owe the rules a look."""
    membership = Membership.objects.filter(group=group, member=member).first()
    status = membership.status if membership else None
    if status == Membership.Status.REQUESTED and group.enrolment != Group.Enrolment.OPEN:
        return _("You have asked already. A counselor will answer.")
    if status != Membership.Status.ACTIVE and group.enrolment == Group.Enrolment.CLOSED:
        return _("This group takes new people by invitation only.")
    return ""


def _safe_next(request) -> str:
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=not settings.LOCAL)
    return url if safe and url.startswith("/") else ""
