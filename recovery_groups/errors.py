"""Pages for when something is wrong: what happened, what is safe, what to do."""

from django.shortcuts import render


def csrf_failure(request, reason=""):
    return render(request, "403_csrf.html", status=403)
