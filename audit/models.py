from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Now


class AuditEventQuerySet(models.QuerySet):
    # What an operator may read. Everything else, such as `membership.joined`, may say who comes to which group.
    ABOUT_NO_MEMBERSHIP = (
        "group.",
        "meeting.",
        "series.",
        "agreement.",
        "facilitator.",
        "member.role",
        "email.",
        "wording.",
        "access.",
    )

    def visible_to(self, staff):
        """For the operator, and without what would tell them who is in a group (design: break-glass only)."""
        if not staff.is_superuser:
            return self.none()
        begins_so = Q()
        for action in self.ABOUT_NO_MEMBERSHIP:
            begins_so |= Q(action__startswith=action)
        return self.filter(begins_so)

    def about(self, object_type: str, object_ids: list[str], *, kind: str):
        """What happened to some things, of one kind of action such as `group.`."""
        return self.filter(object_type=object_type, object_id__in=object_ids, action__startswith=kind)

    def touching(self, member_id: UUID):
        """What a member did, and what was done with their record, newest first."""
        done_to = Q(object_type="members.member", object_id=str(member_id)) | Q(details__member=str(member_id))
        return self.filter(Q(actor_id=member_id) | done_to)

    def last_by_object(self) -> dict:
        return dict(self.order_by().values_list("object_id").annotate(last=models.Max("happened_at")))


class AuditEvent(models.Model):
    """Something that was changed or looked at. Rows are only ever added: a trigger refuses the rest.

    Ids, not values: no name, address or free text about a person belongs here, so erasing a person
    leaves this record true.
    """

    happened_at = models.DateTimeField(db_default=Now())
    actor_id = models.UUIDField(null=True, help_text="the member who did it; empty when the system did")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    details = models.JSONField(default=dict)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
            models.Index(KeyTransform("member", "details"), name="audit_by_member"),
        ]

    def __str__(self):
        return f"{self.action} {self.object_type} {self.object_id}"
