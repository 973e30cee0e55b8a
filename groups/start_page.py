"""What the first page of the admin says about groups: who asks to join."""

from members.models import Member
from members.scoped_admin import COORDINATOR, COUNSELOR
from members.start_parts import StartPart, register

from .models import Membership

MOST_SHOWN = 10


def register_parts() -> None:
    register(StartPart("requests", 40, frozenset({COUNSELOR, COORDINATOR}), "admin/_start_requests.html", _requests))


def _requests(staff: Member) -> dict:
    """Who has waited longest for an answer."""
    asked = Membership.objects.requested().visible_to(staff).filter(member__is_active=True)
    rows = list(asked.select_related("group", "member").order_by("requested_at", "pk")[: MOST_SHOWN + 1])
    return {"rows": rows[:MOST_SHOWN], "is_more": len(rows) > MOST_SHOWN}
