"""The waiting list of a meeting, for those who run its group: who is next, and letting somebody go first."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from .. import access, services
from ..models import LetFirst, Meeting, Participation
from ..people_forms import LetFirstForm


@require_http_methods(["GET", "POST"])
def meeting_waiting(request, meeting_id):
    """The list in its order. `?person=<member>` asks for a reason to let them go first; sending it does."""
    meeting = access.get_meeting_as_facilitator(request, meeting_id)
    asked = request.POST.get("person", "") if request.method == "POST" else request.GET.get("person")
    if asked is not None:
        return _let_first(request, meeting, access.get_uuid(asked))
    let_first = LetFirst.objects.filter(meeting=meeting).select_related("meeting", "member", "let_by")
    context = {"meeting": meeting, "line": _line(meeting), "let_first": let_first}
    return render(request, "meetings/waiting_list.html", context)


def _line(meeting: Meeting) -> list[Participation]:
    return list(Participation.objects.filter(meeting=meeting).in_line().select_related("member"))


def _let_first(request, meeting: Meeting, member_id: UUID):
    if not Participation.objects.filter(meeting=meeting, member=member_id).exists():
        raise Http404
    form = LetFirstForm(request.POST if request.method == "POST" else None)
    is_sent = form.is_valid()
    if is_sent and services.let_go_first(meeting, member_id, by=request.user, **form.cleaned_data):
        messages.success(request, _("Done. The next free place is offered to them."))
        return redirect("meetings:meeting_waiting", meeting_id=meeting.pk)
    line = _line(meeting)
    number = next((n for n, one in enumerate(line, 1) if one.member_id == member_id), 0)
    if number <= 1 or not meeting.is_open:
        return _nothing_to_do(request, meeting, number)
    context = {"meeting": meeting, "form": form, "chosen": line[number - 1], "number": number, "first": line[0]}
    status = 409 if is_sent else 400 if form.is_bound else 200
    return render(request, "meetings/waiting_list_first.html", context | {"has_changed": is_sent}, status=status)


def _nothing_to_do(request, meeting: Meeting, number: int):
    if number == 1:
        words = _("This person is first already.")
    elif number:
        words = _("This meeting takes no answers any more. Nothing was changed.")
    else:
        words = _("This person does not wait any more. Nothing was changed.")
    messages.info(request, words)
    return redirect("meetings:meeting_waiting", meeting_id=meeting.pk)
