from celery import shared_task

from . import bounces, services


@shared_task
def deliver_outbox():
    services.deliver()


@shared_task
def process_bounces():
    bounces.process_bounces_at_home()
