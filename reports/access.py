"""The only way from a request to figures. Whoever has no part in them gets 403."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from groups.models import Group
from members.models import Member


@dataclass(frozen=True)
class Scope:
    """Which groups somebody sees figures of, and whether `exact` and by group, or as sums without small numbers."""

    groups: QuerySet[Group]
    exact: bool


def get_scope(request: HttpRequest) -> Scope:
    """What figures this person may see, by role alone: a superuser without a role sees none."""
    member: Member = request.user  # type: ignore[assignment]  # nobody unknown gets here
    if member.is_coordinator:
        return Scope(Group.objects.all(), exact=True)
    if member.is_counselor:
        return Scope(Group.objects.facilitated_by(member), exact=True)
    if member.role == Member.Role.REPORTS:
        return Scope(Group.objects.all(), exact=False)
    raise PermissionDenied


def get_scope_of_whole_house(request: HttpRequest) -> Scope:
    """As `get_scope`, for figures that are of no single group: a counselor has no part in them."""
    scope = get_scope(request)
    if request.user.is_counselor:  # type: ignore[union-attr]  # nobody unknown gets here
        raise PermissionDenied
    return scope
