"""What happens to meetings, by subject. Every verb is atomic, safe to call twice, and says in what it returns
whether anything changed."""

from .feed_import import import_feed
from .places import (
    answer_declined,
    answer_going,
    change_capacity,
    lapse_offers,
    leave_group,
    offer_free_places,
    place_in_line,
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
from .schedule import cancel_meeting, extend_series, follow_group, follow_series, resume_series, suspend_series

__all__ = [
    "add_anonymous_walk_in",
    "add_walk_in",
    "answer_declined",
    "answer_going",
    "cancel_meeting",
    "change_capacity",
    "clear_attendance",
    "count_due_reminders",
    "extend_series",
    "follow_group",
    "follow_series",
    "import_feed",
    "lapse_offers",
    "leave_group",
    "mark_did_not_meet",
    "offer_free_places",
    "place_in_line",
    "queue_due_reminders",
    "record_attendance",
    "remove_anonymous_walk_in",
    "resume_series",
    "settle_begun",
    "suspend_series",
    "undo_did_not_meet",
]
