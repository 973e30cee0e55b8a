"""Somebody else leads one date."""

from django.db import transaction

from audit.services import record
from members.models import Member

from ..models import Meeting
from .clashes import told_as_clash
from .colleagues import tell_substitute


@transaction.atomic
def choose_substitute(meeting: Meeting, substitute: Member | None, *, by: Member) -> bool:
    """Let another counselor lead one coming date, or (None) the group's own again. False if it is so already, or has
    begun, or is off. Whoever leads now and whoever did get a mail. Raises `Clash` if they lead another group then.
    """
    coming = Meeting.objects.upcoming().filter(pk=meeting.pk)
    before = coming.select_for_update(no_key=True).values_list("substitute", flat=True).first()
    if not coming.exists() or before == (substitute and substitute.pk):
        return False
    with told_as_clash(meeting):
        coming.update(substitute=substitute)
    meeting.substitute = substitute
    if before and before != by.pk:
        tell_substitute(meeting, before, leads=False)
    if substitute and substitute != by:
        tell_substitute(meeting, substitute.pk, leads=True)
    record("meeting.substitute", meeting, by=by, member=str(substitute.pk) if substitute else "")
    return True
