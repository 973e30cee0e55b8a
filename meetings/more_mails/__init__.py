"""What the mails say that people can choose beside their reminders, a module for each kind."""

from . import roster_open


def register() -> None:
    roster_open.register()
