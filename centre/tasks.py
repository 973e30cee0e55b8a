from celery import shared_task

from . import services


@shared_task
def erase_old_questions():
    services.erase_old_questions()
