"""What somebody who works here asked for and may not have. It is on the record: who, what, and which way they came.

Only for those with a role: what members try and may not is refused without a note, as a note would say where they are
and would let anybody fill the record.
"""

from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from audit.models import AuditEvent
from audit.services import record

from .models import Member

NOTED_ONCE_IN = timedelta(hours=1)  # the same thing, the same way


def way_of(request: HttpRequest) -> str:
    """The name of the page that was asked for."""
    page = request.resolver_match
    return (page and page.url_name) or "page"


def note_denial(on: Model, *, by: Member | AnonymousUser, way: str) -> bool:
    """Put it on the record. False for members, and if the same was noted within the hour."""
    if isinstance(by, AnonymousUser) or not by.works_here:
        return False
    lately = AuditEvent.objects.filter(
        actor_id=by.pk,
        action="access.denied",
        object_type=on._meta.label_lower,
        object_id=str(on.pk),
        details__way=way,
        happened_at__gt=timezone.now() - NOTED_ONCE_IN,
    )
    if lately.exists():
        return False
    record("access.denied", on, by=by, way=way)
    return True
