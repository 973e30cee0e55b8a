"""What this site knows about a member from groups."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.data_parts import Part, Theme, register, register_words
from members.my_data import WITH_ACCOUNT

from .models import Acceptance, Facilitator, Invitation, Membership


def register_parts() -> None:
    register(MEMBERSHIPS, ACCEPTANCES, INVITATIONS_USED, FACILITATES, INVITATIONS_MADE)
    register_words(WORDS)


MEMBERSHIPS = Part(
    name="groups",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("Your groups"),
    why=gettext_lazy("So that you can come to a group’s meetings. Only its counselors and the coordinators see it."),
    kept=gettext_lazy("As long as you have an account, also after you left a group."),
    columns={
        "group": gettext_lazy("Group"),
        "status": gettext_lazy("You and the group"),
        "comes_every_week": gettext_lazy("You come every week"),
        "no_reminders": gettext_lazy("No reminders from this group"),
        "asked_at": gettext_lazy("You asked to join"),
        "decided_at": gettext_lazy("A counselor answered"),
        "joined_at": gettext_lazy("Joined"),
        "left_at": gettext_lazy("Left"),
        "removed_at": gettext_lazy("Removed"),
    },
    rows=lambda member: Membership.objects.filter(member=member).select_related("group"),
    say=lambda row, member: (
        row.group.name,
        row.get_status_display(),
        row.standing_rsvp,
        row.is_muted,
        row.requested_at,
        row.decided_at,
        row.joined_at,
        row.left_at,
        row.removed_at,
    ),
    covers=frozenset({"groups.Membership.member"}),
)

ACCEPTANCES = Part(
    name="ground-rules",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("Ground rules you agreed to"),
    why=gettext_lazy("So that everybody in a group goes by the same rules, and you can see which."),
    kept=WITH_ACCOUNT,
    columns={
        "group": gettext_lazy("Group"),
        "version": gettext_lazy("Version"),
        "language": gettext_lazy("Language"),
        "accepted_at": gettext_lazy("You agreed"),
    },
    rows=lambda member: (
        Acceptance.objects.filter(member=member).select_related("agreement__group").order_by("-accepted_at", "-pk")
    ),
    say=lambda row, member: (
        row.agreement.group.name if row.agreement.group else _("the rules of the house"),
        row.agreement.version,
        row.agreement.get_language_display(),
        row.accepted_at,
    ),
    covers=frozenset({"groups.Acceptance.member"}),
)

INVITATIONS_USED = Part(
    name="invitations",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("Invitations you used"),
    why=gettext_lazy("So that an invitation lets in one person only."),
    kept=WITH_ACCOUNT,
    columns={"group": gettext_lazy("Group"), "used_at": gettext_lazy("Used")},
    rows=lambda member: Invitation.objects.filter(used_by=member).select_related("group"),
    say=lambda row, member: (row.group.name, row.used_at),
    covers=frozenset({"groups.Invitation.used_by"}),
)

FACILITATES = Part(
    name="facilitates",
    theme=Theme.WORK,
    heading=gettext_lazy("Groups you lead"),
    why=gettext_lazy("So that you can work with these groups. Everybody sees your first name on the group’s page."),
    kept=gettext_lazy("As long as you lead the group."),
    columns={"group": gettext_lazy("Group"), "role": gettext_lazy("Role")},
    rows=lambda member: Facilitator.objects.filter(member=member).select_related("group").order_by("group__name"),
    say=lambda row, member: (row.group.name, row.get_role_display()),
    covers=frozenset({"groups.Facilitator.member"}),
)

INVITATIONS_MADE = Part(
    name="invitations-made",
    theme=Theme.WORK,
    heading=gettext_lazy("Invitations you made"),
    why=gettext_lazy("So that a group knows who lets people in."),
    kept=WITH_ACCOUNT,
    columns={
        "group": gettext_lazy("Group"),
        "invited_at": gettext_lazy("Made"),
        "expires_at": gettext_lazy("Good until"),
    },
    rows=lambda member: Invitation.objects.filter(invited_by=member).select_related("group"),
    say=lambda row, member: (row.group.name, row.invited_at, row.expires_at),
    covers=frozenset({"groups.Invitation.invited_by"}),
)

WORDS = {
    "mail.join_decision": gettext_lazy("a counselor answered your request to join"),
    "group.created": gettext_lazy("made a group"),
    "group.changed": gettext_lazy("changed a group"),
    "group.imported": gettext_lazy("brought a group in from a list"),
    "agreement.published": gettext_lazy("published ground rules"),
    "facilitator.added": gettext_lazy("gave a group a counselor"),
    "facilitator.changed": gettext_lazy("changed what a counselor does in a group"),
    "facilitator.removed": gettext_lazy("took a counselor out of a group"),
    "invitation.made": gettext_lazy("made an invitation to a group"),
    "invitation.revoked": gettext_lazy("took an invitation back"),
    "invitation.used": gettext_lazy("came into a group by an invitation"),
    "membership.requested": gettext_lazy("asked to join a group"),
    "membership.joined": gettext_lazy("joined a group"),
    "membership.approved": gettext_lazy("said yes to somebody who asked to join"),
    "membership.declined": gettext_lazy("said no to somebody who asked to join"),
    "membership.removed": gettext_lazy("took somebody out of a group"),
    "membership.left": gettext_lazy("left a group"),
    "membership.every_week": gettext_lazy("chose to come every week"),
    "membership.now_and_then": gettext_lazy("chose to come now and then"),
}
