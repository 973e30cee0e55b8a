import gc
import os

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recovery_groups.settings")

app = Celery("recovery_groups")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def keep_the_program_out_of_the_garbage(**_):
    """What the program itself is made of stays: looking through it again and again costs a mail a fifth of its time."""
    gc.collect()
    gc.freeze()
