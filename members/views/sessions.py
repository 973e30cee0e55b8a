"""Staying signed in, and what was being sent when a session ended."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from .. import session_limits


@require_http_methods(["GET", "POST"])
def stay(request):
    """Until when one stays signed in, and staying. site.js shows the same words in a dialog before it ends.

    Asking does not prolong the session when site.js asks (X-Background); sending does.
    """
    if request.method == "GET":
        left = session_limits.left_of(request.session, request.user)
        until = timezone.now() + timedelta(seconds=left.seconds)
        return render(request, "members/stay.html", {"left": left, "until": _in_zone(request, until)})
    if "page" in request.POST:
        messages.success(request, _("You stay signed in."))
        return redirect("members:stay")
    return HttpResponse(status=204)


def _in_zone(request, moment):
    return moment.astimezone(request.zone) if request.zone else moment


@require_http_methods(["GET", "POST"])
def draft(request):
    """What was being sent when the session ended, for the same person; a POST throws it away."""
    if request.method == "POST":
        session_limits.drop_draft(request.session)
        messages.success(request, _("It is thrown away."))
        return redirect("my_week")
    kept = session_limits.draft_of(request.session, request.user)
    fields = list(kept["fields"].items()) if kept else []
    return render(request, "members/draft.html", {"draft": kept, "fields": fields})


@require_POST
def draft_send(request):
    """Send it on to the page it was meant for, which answers as it would have: 307 repeats the form as it stands."""
    kept = session_limits.draft_of(request.session, request.user)
    if kept is None or not url_has_allowed_host_and_scheme(kept["path"], allowed_hosts=None):
        return redirect("members:draft")
    session_limits.drop_draft(request.session)
    response = HttpResponseRedirect(kept["path"])
    response.status_code = 307
    return response
