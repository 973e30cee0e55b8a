"""The site's settings for a worker that is measured: a corner of the broker to itself. Everything else is as it is."""

import os

from recovery_groups.settings import *  # noqa: F403  (all of them, whatever they are called)
from recovery_groups.settings import CELERY_BROKER_TRANSPORT_OPTIONS

CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": os.environ["BENCH_KEY_PREFIX"]}
