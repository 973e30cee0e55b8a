"""Paper to sign: for a table by the door, or for a day on which nothing else works."""

from django.conf import settings
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import access, services
from ..roster_forms import SheetForm


@never_cache
@require_safe
def meeting_sheet(request, meeting_id):
    """A sign-in sheet to print. It says nothing of what the meeting is about; names stand on it only if asked for."""
    meeting = access.get_meeting_to_run(request, meeting_id)
    usual = {"kind": SheetForm.SLIPS if settings.SIGN_IN_SLIPS else SheetForm.SHEET, "lines": min(meeting.capacity, 60)}
    form = SheetForm(request.GET if "kind" in request.GET else usual)
    sheet, status = None, 200
    if form.is_valid():
        wanted = form.cleaned_data
        with_names = wanted["names"] and wanted["kind"] != SheetForm.BLANK
        names = services.show_names_on_sheet(meeting, by=request.user) if with_names else []
        sheet = {"kind": wanted["kind"], "lines": [*names, *[""] * wanted["lines"]]}
    else:
        status = 400
    return render(
        request, "meetings/meeting_sheet.html", {"meeting": meeting, "form": form, "sheet": sheet}, status=status
    )
