from celery import shared_task

from . import services


@shared_task
def deliver_outbox():
    services.deliver()
