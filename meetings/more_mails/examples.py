"""Made-up facts for pictures of letters, as long as real ones get."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

EVENING = datetime(2026, 9, 30, 22, 30, tzinfo=ZoneInfo("America/Los_Angeles"))


def link(path: str) -> str:
    return settings.SITE_URL + path
