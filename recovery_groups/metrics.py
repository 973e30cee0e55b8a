"""`/metrics` for Prometheus: how mail is doing, and whether database and broker are there."""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from .health import broker_fault


@login_not_required
@never_cache
@require_safe
def metrics(request):
    """For whoever shows METRICS_TOKEN as a bearer; without one set there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    if not (scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)):
        return HttpResponse("METRICS_TOKEN, please.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()  # of this answer: every process would tell the same
    registry.register(_Now())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Now:
    """What is true at this moment: everything is asked of the database, so no process has to remember it."""

    def describe(self) -> Iterator[Metric]:
        yield from ()

    def collect(self) -> Iterator[Metric]:
        yield _gauge("broker_up", "Whether the broker answers.", broker_fault() is None)
        try:
            mail = import_string("outbox.figures.figures")()
        except Exception:
            yield _gauge("database_up", "Whether the database answers.", False)
            return
        yield _gauge("database_up", "Whether the database answers.", True)
        yield _gauge(
            "mail_oldest_due_seconds", "Age of the oldest mail that should have left.", mail.oldest_due_seconds
        )
        yield _by_state("mail_waiting", "Mails that have not left, now.", mail.waiting)
        yield _by_state("mail_stopped_last_day", "Mails given up or come back in 24 hours.", mail.stopped)
        yield _gauge("mail_in_doubt_last_day", "Mails of 24 hours that may have arrived twice.", mail.in_doubt)
        yield _gauge("mail_addresses_flagged", "Addresses that sent mail back.", mail.addresses_flagged)
        yield _gauge("mail_rows_estimate", "Mails kept in all, sent ones too, as the database estimates.", mail.rows)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=float(value))


def _by_state(name: str, words: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=["state"])
    for state, value in values.items():
        family.add_metric([str(state)], value)
    return family
