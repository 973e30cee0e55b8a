"""The baseline of pages: a list as Django's tutorial would write it. One query, fifty rows, the default template.
Beside it, taking a place: one statement and nothing else.

A site of its own on the same server, database and pool as ours, with nothing around the view.
"""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpResponse
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


def take(request, meeting_id, member_id):
    """A place at a meeting by the statement of the site, for whom the address names."""
    from meetings.services.places import TAKE_A_PLACE

    with connection.cursor() as cursor:
        cursor.execute(TAKE_A_PLACE, {"meeting": meeting_id, "member": member_id})
        answer = cursor.fetchone()[0]
    return HttpResponse(answer, headers={"Content-Length": str(len(answer))})


urlpatterns = [path("", meetings), path("take/<uuid:meeting_id>/<uuid:member_id>/", take)]

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
