from celery import shared_task

from . import services


@shared_task
def queue_week_figures():
    services.queue_week_figures()
