"""Members who check in themselves."""

from allauth.core import ratelimit
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from .. import services
from ..roster_forms import CheckInForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check_in(request):
    """Type the code of the room, or come by its picture with the code filled in. Of a wrong one nobody learns why."""
    scanned = {"code": request.GET.get("code", "")[:6]}
    form = CheckInForm(request.POST if request.method == "POST" else None, initial=scanned)
    if form.is_bound and not ratelimit.consume(request, action="check_in", user=request.user):
        return render(request, "429.html", status=429)
    if form.is_valid():
        if mine := services.check_in(form.cleaned_data["code"], by=request.user):
            if mine.came:
                messages.success(request, _("You are marked as here."))
            else:
                messages.warning(request, _("Something else is noted for you. Please tell who runs the meeting."))
            return redirect("meetings:meeting_detail", meeting_id=mine.meeting_id)
        form.add_error("code", _("This code opens nothing now. Look at it again, or ask who runs the meeting."))
    return render(request, "meetings/check_in.html", {"form": form}, status=400 if form.is_bound else 200)
