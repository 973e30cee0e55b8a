"""Reports of a mail provider by webhook, for sites that send through one: an option, with django-anymail installed.

Anymail checks who calls and reads the dialects of the providers; what comes out counts as `process_bounces` does. Only
the one address of the one provider in use exists, and settings refuse to start without a secret: without one, Anymail
would believe everybody.
"""

import re
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern
from django.utils import timezone

from .bounce_reports import STATUS, Bounce
from .bounces import flag_member, note_bounce
from .models import COMPLAINT

OUR_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
ANSWER = re.compile(r"\b([45])\d\d\b")  # SMTP's own, where no status (RFC 3463) is given
STATUS_OF_REASON = {"timed_out": "4.4.7", "blocked": "5.7.1", "spam": "5.7.1", "other": "4.0.0"}
NOT_FOR_GOOD = {"SoftBounce"}  # Postmark's, which Anymail calls a bounce like others


def tracking_urls(provider: str) -> list[URLPattern]:
    """The address that this provider reports to, and from now on those reports are listened to."""
    try:
        from anymail.signals import tracking
        from anymail.urls import urlpatterns
    except ImportError as error:
        raise ImproperlyConfigured("ANYMAIL_PROVIDER is set: pip install 'django-anymail~=15.2'.") from error
    found = [one for one in urlpatterns if str(one.pattern) == f"{provider}/tracking/"]
    if not found:
        known = sorted(str(one.pattern).split("/")[0] for one in urlpatterns if str(one.pattern).endswith("/tracking/"))
        raise ImproperlyConfigured(f"ANYMAIL_PROVIDER can be one of: {', '.join(known)}.")
    tracking.connect(listen, dispatch_uid="outbox")
    return found


def listen(sender: Any, event: Any, esp_name: str, **kwargs: Any) -> None:
    """What a provider says about one mail. Delays, deliveries and clicks are let go."""
    status = _status(event)
    address = (event.recipient or "").strip().lower()
    if not status or not address:
        return
    if status != COMPLAINT and (found := OUR_ID.match(event.message_id or "")):
        note_bounce(Bounce(UUID(found.group(1)), status, frozenset({address})))
    member = get_user_model()._default_manager.filter(email=address).first()
    if member:
        flag_member(member, status, left_at=event.timestamp or timezone.now())


def _status(event: Any) -> str:
    """Why a mail did not arrive, as RFC 3463 puts it, or that it was called unwanted; nothing for everything else."""
    if event.event_type == "complained":
        return COMPLAINT
    is_refused = event.event_type == "rejected" and event.reject_reason in ("bounced", "invalid")
    if event.event_type != "bounced" and not is_refused:
        return ""
    said = f"{event.mta_response or ''} {event.description or ''}"
    if found := STATUS.search(said):
        return found.group()
    if isinstance(event.esp_event, dict) and event.esp_event.get("Type") in NOT_FOR_GOOD:
        return "4.0.0"
    if found := ANSWER.search(said):
        return f"{found.group(1)}.0.0"
    return {"timed_out": "4.4.7", "blocked": "5.7.1", "spam": "5.7.1", "other": "4.0.0"}.get(
        event.reject_reason, "5.0.0"
    )
