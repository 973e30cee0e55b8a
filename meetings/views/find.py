"""Finding a meeting: the home page and the list."""

from collections import defaultdict
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .. import wording
from ..forms import FindForm
from ..models import Meeting

PER_PAGE = 50


@login_not_required
@require_safe
def home(request):
    meetings = Meeting.objects.upcoming().listed().with_places().select_related("group").in_order()[:3]
    return render(request, "home.html", {"meetings": meetings})


@login_not_required
@require_safe
def meeting_list(request):
    """Find a meeting: coming meetings by day, with filters that make a shareable address."""
    form = FindForm(request.GET)
    found = form.meetings().select_related("group").in_order()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    filters = {name: value for name, value in form.cleaned_data.items() if value}
    return render(
        request,
        "meetings/meeting_list.html",
        {
            "form": form,
            "page": page,
            "days": _by_day(page.object_list),
            "filters": filters,
            "address": urlencode(filters),
        },
    )


def _by_day(meetings):
    days = defaultdict(list)
    for meeting in meetings:
        days[wording.day(meeting.local_start)].append(meeting)
    return dict(days)
