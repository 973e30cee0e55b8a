"""The pages about meetings, by subject."""

from .find import home, meeting_list
from .meeting import answer_from_mail, meeting_detail, meeting_rsvp
from .my_week import group_leave, my_week
from .roster import meeting_roster

__all__ = [
    "answer_from_mail",
    "group_leave",
    "home",
    "meeting_detail",
    "meeting_list",
    "meeting_roster",
    "meeting_rsvp",
    "my_week",
]
