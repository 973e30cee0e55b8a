from django.conf import settings


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
        "leave_url": settings.LEAVE_URL,
    }
