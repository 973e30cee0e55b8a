"""What happens to meetings, by subject. Every verb is atomic, safe to call twice, and says in what it returns
whether anything changed."""

from .clashes import Clash, find_taken
from .feed_import import import_feed
from .missed import queue_missed_you
from .nudges import queue_roster_nudges
from .outreach import note_contact, people_to_reach, undo_contact
from .places import (
    Change,
    answer_declined,
    answer_going,
    change_capacity,
    change_to_declined,
    change_to_going,
    lapse_offers,
    leave_group,
    offer_free_places,
    place_in_line,
    undo_answer,
)
from .reminders import count_due_reminders, queue_due_reminders
from .roster import (
    add_anonymous_walk_in,
    add_walk_in,
    clear_attendance,
    mark_did_not_meet,
    record_attendance,
    remove_anonymous_walk_in,
    settle_begun,
    undo_did_not_meet,
)
from .running import (
    TAPS,
    forget_turns,
    hide_name,
    lower_hand,
    may_start,
    pass_today,
    raise_hand,
    share_after_all,
    show_name,
    start_run,
    tap_run,
)
from .schedule import (
    cancel_meeting,
    dates_left_out,
    end_suspension,
    extend_series,
    follow_group,
    follow_series,
    resume_series,
    suspend_series,
    take_up_meeting,
)
from .series_edits import (
    cancel_range,
    change_all_dates,
    change_later_dates,
    choose_topics,
    move_meeting,
    put_back_meeting,
    undo_later_dates,
)
from .session_log import add_to_log, draft_log, refuse_change_of_log, save_log, sign_log
from .standing import come_every_week, come_now_and_then, fill_all_standing_places, free_coming_places
from .too_late import note_missed_reminders
from .topics import last_used, plan_topics
from .week import queue_week_mails
from .welcomes import queue_welcomes

__all__ = [
    "TAPS",
    "Change",
    "Clash",
    "add_anonymous_walk_in",
    "add_to_log",
    "add_walk_in",
    "answer_declined",
    "answer_going",
    "cancel_meeting",
    "cancel_range",
    "change_all_dates",
    "change_capacity",
    "change_later_dates",
    "change_to_declined",
    "change_to_going",
    "choose_topics",
    "clear_attendance",
    "come_every_week",
    "come_now_and_then",
    "count_due_reminders",
    "dates_left_out",
    "draft_log",
    "end_suspension",
    "extend_series",
    "fill_all_standing_places",
    "find_taken",
    "follow_group",
    "follow_series",
    "forget_turns",
    "free_coming_places",
    "hide_name",
    "import_feed",
    "lapse_offers",
    "last_used",
    "leave_group",
    "lower_hand",
    "mark_did_not_meet",
    "may_start",
    "move_meeting",
    "note_contact",
    "note_missed_reminders",
    "offer_free_places",
    "pass_today",
    "people_to_reach",
    "place_in_line",
    "plan_topics",
    "put_back_meeting",
    "queue_due_reminders",
    "queue_missed_you",
    "queue_roster_nudges",
    "queue_week_mails",
    "queue_welcomes",
    "raise_hand",
    "record_attendance",
    "refuse_change_of_log",
    "remove_anonymous_walk_in",
    "resume_series",
    "save_log",
    "settle_begun",
    "share_after_all",
    "show_name",
    "sign_log",
    "start_run",
    "suspend_series",
    "take_up_meeting",
    "tap_run",
    "undo_answer",
    "undo_contact",
    "undo_did_not_meet",
    "undo_later_dates",
]
