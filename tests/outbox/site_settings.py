"""The site's settings for workers and beats under test: the test's database, a corner of the broker to themselves, a
beat that ticks every second. Everything else is as it is."""

import os

from recovery_groups.settings import *  # noqa: F403
from recovery_groups.settings import CELERY_BEAT_SCHEDULE, CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": os.environ["TEST_KEY_PREFIX"]}
if "TEST_VISIBILITY_TIMEOUT" in os.environ:
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "visibility_timeout": int(os.environ["TEST_VISIBILITY_TIMEOUT"]),
        "unacked_restore_interval": 1,
    }
CELERY_BEAT_SCHEDULE = {
    name: entry | {"schedule": 1.0}
    for name, entry in CELERY_BEAT_SCHEDULE.items()
    if name in ("queue-due-reminders", "deliver-outbox")
}
