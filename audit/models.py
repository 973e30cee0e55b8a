from django.db import models
from django.db.models.functions import Now


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

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="audit_by_object")]

    def __str__(self):
        return f"{self.action} {self.object_type} {self.object_id}"
