"""The pages about oneself, and those that need nobody to sign in, by subject."""

from .my_data import my_data, my_data_part, my_data_take
from .pages import help_now, leave_page
from .sessions import draft, draft_send, stay
from .settings import (
    display,
    display_name,
    mail_works,
    set_language,
    settings_hub,
    sign_out_everywhere,
    spare_codes,
)

__all__ = [
    "display",
    "display_name",
    "draft",
    "draft_send",
    "help_now",
    "leave_page",
    "mail_works",
    "my_data",
    "my_data_part",
    "my_data_take",
    "set_language",
    "settings_hub",
    "sign_out_everywhere",
    "spare_codes",
    "stay",
]
