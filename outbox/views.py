from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import services
from .link_limits import too_many


@login_not_required
@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request, token):
    """Stop a kind of mail. GET changes nothing (scanners follow links); POST acts without cookie or sign-in.

    The same answer for every token, as RFC 8058 and EML-02 want: 200, no redirect, nothing about anybody. Who opens the
    page may instead stop what comes from one group only, which it does not name.
    """
    way_out = services.find_way_out(token)
    if stopped := too_many(request, token, is_ours=way_out is not None):
        return stopped
    only_there = request.POST.get("only") == "there"
    if request.method == "POST" and way_out:
        way_out.stop_there() if only_there else way_out.stop()
    context = {
        "done": request.method == "POST",
        "only_there": only_there,
        "may_stop_there": way_out is None or bool(way_out.about_id and way_out.kind.unsubscribe_there),
    }
    response = render(request, "outbox/unsubscribe.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response
