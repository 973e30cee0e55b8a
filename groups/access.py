"""The only way from a request to a group. A stranger gets 404, as if there were nothing; a wrong role gets 403."""

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from members.denials import note_denial, way_of
from members.models import Member

from .models import Facilitator, Group, Invitation, Membership


def get_group(request: HttpRequest, slug: str) -> Group:
    """A group that is listed for everybody, or that one belongs to or works with."""
    may_see = Q(is_listed=True)
    if request.user.is_authenticated:
        may_see |= Q(pk__in=Group.objects.joined_or_asked_by(request.user)) | Q(
            pk__in=Group.objects.visible_to(request.user)
        )
    return get_object_or_404(Group.objects.filter(may_see), slug=slug)


def get_group_to_leave(request: HttpRequest, slug: str) -> Group:
    """A group one may see, or was in: who taps “leave” twice is no stranger the second time."""
    if request.user.is_authenticated:
        ever_in = Membership.objects.filter(group__slug=slug, member=request.user).select_related("group").first()
        if ever_in:
            return ever_in.group
    return get_group(request, slug)


def get_listed_group(slug: str) -> Group:
    """A group that is listed for everybody, whoever asks."""
    return get_object_or_404(Group.objects.listed(), slug=slug)


def get_group_as_facilitator(request: HttpRequest, slug: str) -> Group:
    """A group one runs."""
    if not request.user.is_authenticated:
        raise Http404
    group = get_object_or_404(Group, slug=slug)
    require_facilitator(request.user, group, way=way_of(request))
    return group


def is_facilitator(member: Member, group: Group) -> bool:
    """Whether they run this group: its facilitators, and coordinators."""
    return member.is_coordinator or (
        member.is_counselor and Facilitator.objects.filter(group=group, member=member).exists()
    )


def require_facilitator(member: Member, group: Group, *, way: str) -> None:
    """Raise 403 for the group's own people without the role, 404 for everybody else who does not run it.

    Of those who work here it goes on the record, by which page they came (`way`).
    """
    if is_facilitator(member, group):
        return
    note_denial(group, by=member, way=way)
    if Membership.objects.active().filter(group=group, member=member).exists():
        raise PermissionDenied
    raise Http404


def find_invitation(token: str) -> Invitation | None:
    """The invitation a link stands for, as long as it can be used. Of all others nobody learns why not."""
    return Invitation.objects.usable().of_token(token).select_related("group").first()


def group_joined_by(token: str, member: Member) -> Group | None:
    """The group this member came to by this very link, while they are in it or wait for an answer."""
    joined = Group.objects.joined_or_asked_by(member)
    return joined.filter(
        pk__in=Invitation.objects.used().of_token(token).filter(used_by=member).values("group")
    ).first()
