"""The baseline of pages: a list as Django's tutorial would write it. One query, fifty rows, the default template.

A site of its own on the same server, database and pool as ours, with nothing around the view.
"""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.shortcuts import render
from django.urls import path
from django.utils import timezone


def meetings(request):
    from meetings.models import Meeting

    coming = (
        Meeting.objects.filter(status="scheduled", starts_at__gt=timezone.now())
        .select_related("group")
        .order_by("starts_at")[:50]
    )
    response = render(request, "bare.html", {"meetings": coming})
    response["Content-Length"] = len(response.content)  # else it is sent in chunks, which the client does not read
    return response


urlpatterns = [path("", meetings)]

django.setup()
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = []
settings.TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [settings.BASE_DIR / "benchmarks" / "templates"],
    }
]
application = WSGIHandler()
