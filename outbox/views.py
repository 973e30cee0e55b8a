from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import services


@login_not_required
@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request, token):
    """Stop a kind of mail. GET changes nothing (scanners follow links); POST acts without cookie or sign-in.

    The same answer for every token, as RFC 8058 and EML-02 want: 200, no redirect, nothing about anybody.
    """
    if request.method == "POST":
        services.unsubscribe(token)
    response = render(request, "outbox/unsubscribe.html", {"done": request.method == "POST"})
    response["X-Robots-Tag"] = "noindex"
    return response
