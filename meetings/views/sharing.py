"""What I share with those who run my meetings; and for them, whom to call."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from groups.access import get_group_as_facilitator

from .. import access, sealed, services
from ..people_forms import NeedsForm, PhoneForm
from ..shared_models import Shared


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def my_sharing(request):
    """A number for calls, and what I need to take part: each only if I want, and erased when I take it back."""
    mine = {one.kind: one for one in Shared.objects.filter(member=request.user)}
    phone, needs = (mine.get(kind) for kind in (Shared.Kind.PHONE, Shared.Kind.NEEDS))
    forms = {
        "phone": PhoneForm(initial={"phone": phone.readable, "phone_agree": True} if phone else None),
        "needs": NeedsForm(initial={"needs": needs.readable, "needs_agree": True} if needs else None),
    }
    status = 200
    if request.method == "POST":
        if request.POST.get("stop") in Shared.Kind.values:
            return _stop(request, Shared.Kind(request.POST["stop"]))
        kind = request.POST.get("keep")
        if kind not in Shared.Kind.values:
            raise BadRequest("a number or a note is kept, or taken back")
        form = forms[kind] = (PhoneForm if kind == Shared.Kind.PHONE else NeedsForm)(request.POST)
        status = 400
        if form.is_valid():
            if services.share(*form.shared, by=request.user):
                messages.success(request, _("Kept. You can change it or take it back at any time."))
                return redirect("meetings:my_sharing")
            status = 409
    context = {**forms, "shares": mine, "can_seal": sealed.can_seal()}
    return render(request, "meetings/my_sharing.html", context, status=status)


def _stop(request, kind: Shared.Kind):
    if services.stop_sharing(kind, by=request.user):
        messages.success(request, _("It is erased. Nobody can read it any more."))
    else:
        messages.info(request, _("Nothing was shared."))
    return redirect("meetings:my_sharing")


@require_safe
def meeting_calls(request, meeting_id):
    """Those of a meeting whom no e-mail reaches, to print. Each look is on the record."""
    meeting = access.get_meeting_as_facilitator(request, meeting_id)
    people = services.open_call_list(meeting.group, by=request.user, meeting=meeting)
    context = {"meeting": meeting, "group": meeting.group, "people": people}
    return render(request, "meetings/call_list.html", context)


@require_safe
def group_calls(request, slug):
    """The same of a whole group."""
    group = get_group_as_facilitator(request, slug)
    people = services.open_call_list(group, by=request.user)
    return render(request, "meetings/call_list.html", {"meeting": None, "group": group, "people": people})
