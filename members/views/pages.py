from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from .. import services
from ..models import Consent


@login_not_required
@require_safe
def help_now(request):
    return render(request, "members/help_now.html")


@login_not_required
@require_POST
def leave_page(request):
    """End the session and go somewhere plain. The browser's history is not erased, and the help page says so."""
    logout(request)
    return HttpResponseRedirect(settings.LEAVE_URL)


@require_POST
def reminders(request):
    """Switch the reminders by e-mail on or off."""
    if request.POST.get("wanted") == "yes":
        services.give_consent(request.user, Consent.Kind.REMINDERS)
        messages.success(request, _("We will send you a short e-mail before your meetings."))
    else:
        services.withdraw_consent(request.user.pk, Consent.Kind.REMINDERS)
        messages.success(request, _("No more reminders. Your places stay as they are."))
    return redirect("my_week")
