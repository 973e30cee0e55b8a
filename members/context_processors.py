from django.conf import settings


def site(request):
    """What every page shows: the neutral site name, help lines, how to reach us."""
    return {
        "site_name": settings.SITE_NAME,
        "help_lines": settings.HELP_LINES,
        "help_checked_on": settings.HELP_CHECKED_ON,
        "contact_phone": settings.CONTACT_PHONE,
        "contact_email": settings.CONTACT_EMAIL,
        "languages": settings.LANGUAGES,
        "text_size": getattr(request, "text_size", "normal"),
        "leave_url": settings.LEAVE_URL,
    }
