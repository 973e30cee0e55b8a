"""Pages for when something is wrong: what happened, what is safe, what to do."""

from django.shortcuts import render


def bad_request(request, exception):
    return render(request, "400.html", status=400)


def csrf_failure(request, reason=""):
    return render(request, "403_csrf.html", status=403)
