"""A worker whose guard is off, as a negative control: what the tests of faults would see without it."""

import os

from celery.signals import worker_process_init

from recovery_groups.celery import app

__all__ = ["app"]

if os.environ["WITHOUT"] == "patience":
    app.conf.broker_channel_error_retry = False


@worker_process_init.connect
def take_the_guard_off(**_):
    from outbox import models

    if os.environ["WITHOUT"] == "claims":
        models.CLAIM = models.CLAIM.replace("FOR UPDATE SKIP LOCKED", "").replace(
            "= 'queued'", "IN ('queued', 'claimed')"
        )
    if os.environ["WITHOUT"] == "release":
        models.EmailQuerySet.release_claims_of_dead_senders = lambda emails: 0
