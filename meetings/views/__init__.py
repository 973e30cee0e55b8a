"""The pages about meetings, by subject."""

from .attendance_letters import (
    letter_detail,
    letter_disclosed,
    my_letter,
    my_letter_pdf,
    my_letter_share,
    my_letters,
    verify,
)
from .calendar import calendar_feed, group_calendar, meeting_calendar, my_calendar
from .check_in import check_in
from .find import home, meeting_list
from .meeting import answer_from_mail, meeting_detail, meeting_rsvp
from .messages import group_message, meeting_message, message_sent
from .my_week import group_leave, my_attendance, my_week, week_seen
from .other_sites import embed, public_feed, robots, sitemap
from .reminders import reminders
from .restricted import incident_detail, meeting_incident_new, meeting_incidents, meeting_notes, note_detail
from .roster import meeting_roster
from .running import meeting_room, meeting_room_now, meeting_run
from .session_log import meeting_log, meeting_log_sign
from .sharing import group_calls, meeting_calls, my_sharing
from .sign_in_sheet import meeting_sheet
from .standing import group_standing
from .waiting_list import meeting_waiting

__all__ = [
    "answer_from_mail",
    "calendar_feed",
    "check_in",
    "embed",
    "group_calendar",
    "group_calls",
    "group_leave",
    "group_message",
    "group_standing",
    "home",
    "incident_detail",
    "letter_detail",
    "letter_disclosed",
    "meeting_calendar",
    "meeting_calls",
    "meeting_detail",
    "meeting_incident_new",
    "meeting_incidents",
    "meeting_list",
    "meeting_log",
    "meeting_log_sign",
    "meeting_message",
    "meeting_notes",
    "meeting_room",
    "meeting_room_now",
    "meeting_roster",
    "meeting_rsvp",
    "meeting_run",
    "meeting_sheet",
    "meeting_waiting",
    "message_sent",
    "my_attendance",
    "my_calendar",
    "my_letter",
    "my_letter_pdf",
    "my_letter_share",
    "my_letters",
    "my_sharing",
    "my_week",
    "note_detail",
    "public_feed",
    "reminders",
    "robots",
    "sitemap",
    "verify",
    "week_seen",
]
