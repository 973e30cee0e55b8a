from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Model

from .models import AuditEvent


def record_each(action: str, on: Model, *, by: Model, members: Iterable[UUID]) -> None:
    """As `record`, a line for each of these members: each of them reads it with what is known about them."""
    facts = {"actor_id": by.pk, "action": action, "object_type": on._meta.label_lower, "object_id": str(on.pk)}
    AuditEvent.objects.bulk_create(AuditEvent(**facts, details={"member": str(one)}) for one in members)


def record(action: str, on: Model, *, by: Model | None, **details: Any) -> None:
    """Add to the audit record that `by` (None: the system) did `action` to `on`. Details hold ids and counts only."""
    AuditEvent.objects.create(
        actor_id=by.pk if by else None,
        action=action,
        object_type=on._meta.label_lower,
        object_id=str(on.pk),
        details=details,
    )
