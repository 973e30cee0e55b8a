"""Letters from templates: three files of one name make one letter, in the language that is switched on."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from .kinds import Letter


def letter(template: str, context: Mapping[str, Any]) -> Letter:
    """The letter of `<template>_subject.txt`, `.txt` and `.html`. Every template knows the site, its help lines and
    the way to my week.
    """
    known = {
        "site_name": settings.SITE_NAME,
        "help_lines": settings.HELP_LINES,
        "my_week_url": settings.SITE_URL + reverse("my_week"),
        **context,
    }
    return Letter(
        subject=render_to_string(f"{template}_subject.txt", known),
        text=render_to_string(f"{template}.txt", known),
        html=render_to_string(f"{template}.html", known),
    )
