from typing import Any

from django.db.models import Model

from .models import AuditEvent


def record(action: str, on: Model, *, by: Model | None, **details: Any) -> None:
    """Add to the audit record that `by` (None: the system) did `action` to `on`. Details hold ids and counts only."""
    AuditEvent.objects.create(
        actor_id=by.pk if by else None,
        action=action,
        object_type=on._meta.label_lower,
        object_id=str(on.pk),
        details=details,
    )
