from celery import shared_task

from . import services


@shared_task
def queue_due_reminders():
    try:
        services.queue_week_mails()  # first: what it tells needs no single reminder
    finally:
        services.queue_due_reminders()
        services.note_missed_reminders()


@shared_task
def queue_roster_nudges():
    services.queue_roster_nudges()


@shared_task
def queue_welcomes():
    services.queue_welcomes()


@shared_task
def queue_missed_you():
    services.queue_missed_you()


@shared_task
def lapse_offers():
    services.lapse_offers()
    services.fill_all_standing_places()


@shared_task
def settle_begun():
    services.settle_begun()


@shared_task
def extend_series():
    services.extend_series()


@shared_task
def forget_messages():
    services.forget_messages()


@shared_task
def forget_turns():
    services.forget_turns()
