from celery import current_app
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

OLDEST_MAIL_SECONDS = 900


@login_not_required
@never_cache
@require_safe
def healthz(request):
    """This process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request):
    """Database, broker, and whether due mail leaves. 503 with what is wrong, in words and figures only."""
    oldest_due_age = import_string("outbox.services.oldest_due_age")
    checks: dict[str, object] = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        checks["database"] = "ok"
        waiting = int(oldest_due_age().total_seconds())
        checks["oldest_due_mail_seconds"] = waiting
        checks["mail"] = "ok" if waiting < OLDEST_MAIL_SECONDS else "late"
    except Exception as error:
        checks["database"] = type(error).__name__
    checks["broker"] = broker_fault() or "ok"
    ready = all(checks.get(name) == "ok" for name in ("database", "broker", "mail"))
    return JsonResponse(checks, status=200 if ready else 503)


def broker_fault() -> str | None:
    """What is wrong with the broker; None if it answers."""
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except Exception as error:
        return type(error).__name__
    return None
