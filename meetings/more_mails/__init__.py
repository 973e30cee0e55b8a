"""What the mails say that people can choose beside their reminders, a module for each kind."""

from . import roster_open, week


def register() -> None:
    roster_open.register()
    week.register()
