from django.conf import settings

from . import session_limits


def _idle_seconds(request) -> int | None:
    """How long a signed-in person can read this page before the session ends: the same for the whole role."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    idle, _longest = session_limits.limits_of(user)
    return int(idle.total_seconds()) - session_limits.WRITE_EVERY


def site(request):
    """What every page shows: the neutral site name, help lines, how to reach us."""
    return {
        "site_url": settings.SITE_URL,
        "site_name": settings.SITE_NAME,
        "help_lines": settings.HELP_LINES,
        "help_checked_on": settings.HELP_CHECKED_ON,
        "centre_name": settings.CENTRE_NAME,
        "centre_phone": settings.CENTRE_PHONE,
        "centre_call": "".join(letter for letter in settings.CENTRE_PHONE if letter in "+0123456789"),
        "centre_email": settings.CENTRE_EMAIL,
        "centre_hours": settings.CENTRE_HOURS,
        "languages": settings.LANGUAGES,
        "text_size": getattr(request, "text_size", "normal"),
        "part_2_notice": settings.PART_2_NOTICE,
        "leave_url": settings.LEAVE_URL,
        "idle_seconds": _idle_seconds(request),
    }
