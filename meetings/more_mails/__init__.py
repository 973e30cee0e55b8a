"""What the mails say that people can choose beside their reminders, a module for each kind."""

from . import colleagues, message, missed, roster_open, week, welcome


def register() -> None:
    roster_open.register()
    week.register()
    welcome.register()
    missed.register()
    message.register()
    colleagues.register()
