"""The pages about oneself, and those that need nobody to sign in, by subject."""

from .pages import help_now, leave_page
from .settings import display, display_name, set_language, settings_hub, sign_out_everywhere

__all__ = [
    "display",
    "display_name",
    "help_now",
    "leave_page",
    "set_language",
    "settings_hub",
    "sign_out_everywhere",
]
