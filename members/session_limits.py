"""How long a session lasts, and what was being sent when it ended (SEC-07, A11Y-05, WCAG 2.2.1).

A session ends after a while without anybody acting in it, and at the latest some time after signing in; sooner for
those who work here. Its times are kept in the session itself and written at most once a minute.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from .models import Member

BEGAN, SEEN, DRAFT = "began_at", "seen_at", "draft"
WRITE_EVERY = 60  # seconds
LONGEST_DRAFT = 20_000  # bytes
DRAFT_KEPT = timedelta(minutes=30)
SECRETS = re.compile(r"password|code|token|secret|credential|csrf|otp|^login$", re.IGNORECASE)


@dataclass(frozen=True)
class Left:
    """Seconds until a session ends by itself, and whether acting in it would prolong it."""

    seconds: int
    can_stay: bool


def limits_of(member: Member) -> tuple[timedelta, timedelta]:
    """For this person: how long without acting, and how long at most."""
    if member.works_here:
        return settings.STAFF_IDLE, settings.STAFF_SESSION
    return settings.MEMBER_IDLE, settings.MEMBER_SESSION


def begin(session) -> None:
    """Start counting. The cookie goes with the browser, unless the person asked to stay signed in on this device.

    Many share a phone. allauth keeps the answer only where a password alone was enough: of the answer before a second
    step the cookie's age is left in the session, and a code or a passkey asks nothing.
    """
    asked_to_stay = session.get("_session_expiry") == settings.SESSION_COOKIE_AGE
    session[BEGAN] = session[SEEN] = _now()
    session.set_expiry(settings.SESSION_COOKIE_AGE if asked_to_stay else 0)


def left_of(session, member: Member) -> Left:
    idle, longest = (int(limit.total_seconds()) for limit in limits_of(member))
    now = _now()
    by_idle = session.get(SEEN, now) + idle - now
    by_age = session.get(BEGAN, now) + longest - now
    return Left(seconds=min(by_idle, by_age), can_stay=by_age > by_idle)


def note_activity(session) -> None:
    """Remember that somebody acts, with one write a minute at most."""
    if BEGAN not in session:
        begin(session)
    elif _now() - session[SEEN] >= WRITE_EVERY:
        session[SEEN] = _now()


def keep_draft(session, member_id, path: str, fields: dict[str, list[str]]) -> bool:
    """Keep what somebody was sending for when they have signed in again. False if there is nothing, or too much."""
    kept = {name: values for name, values in fields.items() if not SECRETS.search(name)}
    size = sum(len(text.encode()) for name, values in kept.items() for text in (name, *values))
    if not kept or size > LONGEST_DRAFT:
        return False
    session[DRAFT] = {"member": str(member_id), "path": path, "fields": kept, "kept_at": _now()}
    session.set_expiry(DRAFT_KEPT)
    return True


def draft_of(session, member: Member) -> dict[str, Any] | None:
    """What this member was sending. What somebody else was sending here, or long ago, is thrown away."""
    draft = session.get(DRAFT)
    if draft is None:
        return None
    if draft["member"] != str(member.pk) or _is_stale(draft):
        del session[DRAFT]
        return None
    return draft


def drop_draft(session) -> None:
    session.pop(DRAFT, None)


def _is_stale(draft) -> bool:
    return draft is not None and _now() - draft["kept_at"] > DRAFT_KEPT.total_seconds()


def _now() -> int:
    return int(timezone.now().timestamp())
