"""Coming to a group every week."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

import groups.access
from groups.models import Agreement
from groups.services import has_accepted

from .. import services


@require_POST
def group_standing(request, slug):
    """Come every week, or no longer; or give back all the places one has at coming dates of the group."""
    group = groups.access.get_group(request, slug)
    match request.POST.get("every_week"):
        case "yes":
            if not services.come_every_week(group, by=request.user):
                messages.info(request, _("You are not in this group, so nothing was changed."))
            elif has_accepted(Agreement.objects.current_for(group), request.user):
                messages.success(request, _("You come every week now. Each coming date has your answer."))
            else:
                messages.info(request, _("There are new ground rules to read first. Then we keep your places."))
        case "no":
            services.come_now_and_then(group, by=request.user)
            messages.success(request, _("You no longer come every week. The places you already have stay yours."))
        case "free":
            services.free_coming_places(group, by=request.user)
            messages.success(request, _("Your places at the coming dates are free for others."))
        case _other:
            raise BadRequest("every_week is “yes”, “no” or “free”")
    return redirect(group)
