"""What other sites and search engines read: the feed of weekly meetings, the map of public pages."""

import hashlib
import json
import re
from datetime import datetime
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from audit.models import AuditEvent
from groups.models import Group
from members.time_zones import is_time_zone

from ..models import Meeting, MeetingSeries
from ..public_feed import Weekly, rows

EMBED_DAYS, EMBED_MOST = 7, 100
FEED_PHONE = re.compile(r"\+\d{1,3}(-\d{3}){2}-\d{4}")


@login_not_required
@require_safe
def public_feed(request):
    """Every group that is listed and meets each week, in the Meeting Guide format, for any site to show."""
    series = MeetingSeries.objects.listed().weekly().running()
    etag = _feed_tag(series)
    response = get_conditional_response(request, etag=etag)
    if response is None:
        made = rows(_weekly(series), around=settings.CENTRE_AREA, entity=_entity())
        text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
        response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _feed_tag(series) -> str:
    """Changes with what is stored and, as suspensions begin and end, with the date where the groups are."""
    zones = series.order_by().values_list("time_zone", flat=True).distinct()
    dates = sorted(f"{zone} {_today(zone)}" for zone in zones if is_time_zone(zone))
    site = [settings.CENTRE_AREA, *_entity().values()]
    same = "\n".join([series.fingerprint(), *dates, *site])
    return f'W/"{hashlib.sha256(same.encode()).hexdigest()[:32]}"'


def _weekly(series) -> list[Weekly]:
    found = [
        one
        for one in series.select_related("group").prefetch_related("suspensions").order_by("pk")
        if is_time_zone(one.time_zone) and one.is_in_force(_today(one.time_zone))
    ]
    of_groups = AuditEvent.objects.about("groups.group", [str(one.group_id) for one in found], kind="group.")
    of_series = AuditEvent.objects.about("meetings.meetingseries", [str(one.pk) for one in found], kind="series.")
    moved = Meeting.objects.filter(series__in=found).last_move_by_series()
    group_changed, series_changed = of_groups.last_by_object(), of_series.last_by_object()
    weekly = []
    for one in found:
        times = [moved.get(one.pk), group_changed.get(str(one.group_id)), series_changed.get(str(one.pk))]
        weekly.append(_facts(one, max([one.group.created_at, *filter(None, times)])))
    return weekly


def _facts(series: MeetingSeries, updated_at: datetime) -> Weekly:
    """Everything that leaves us: link and people of a group are not in it, its address only if it is public."""
    group = series.group
    shows_address = bool(group.public_address)
    return Weekly(
        id=series.pk,
        slug=group.slug,
        name=group.name,
        weekdays=tuple(series.weekdays),
        start_time=series.start_time,
        minutes=series.minutes,
        time_zone=series.time_zone,
        mode=group.mode,
        audience=group.audience,
        language=group.language,
        is_cross_talk_welcome=group.cross_talk == Group.CrossTalk.YES,
        gives_attendance_letters=group.gives_attendance_letters,
        is_wheelchair_accessible=group.is_wheelchair_accessible,
        area=group.area,
        place=group.place if shows_address else "",
        address=group.address if shows_address else "",
        description=group.description,
        closure=_closure(series),
        url=settings.SITE_URL + group.get_absolute_url(),
        updated_at=updated_at,
    )


def _closure(series: MeetingSeries) -> str:
    today = _today(series.time_zone)
    standing = [pause for pause in series.suspensions.all() if pause.covers(today)]
    if not standing:
        return ""
    return "place" if all(pause.place_only for pause in standing) else "all"


def _today(zone: str):
    return timezone.now().astimezone(ZoneInfo(zone)).date()


def _entity() -> dict[str, str]:
    """Who publishes this. The format names the address of their site in two ways."""
    entity = {
        "entity": settings.SITE_NAME,
        "entity_url": settings.SITE_URL,
        "entity_website_url": settings.SITE_URL,
        "entity_email": settings.CENTRE_EMAIL,
        "entity_phone": settings.CENTRE_PHONE if FEED_PHONE.fullmatch(settings.CENTRE_PHONE) else "",
    }
    return {name: value for name, value in entity.items() if value}


@login_not_required
@require_safe
@xframe_options_exempt
def embed(request):
    """The coming week of all listed groups, for a frame on the sites named in EMBED_SITES; sets no cookie.

    `language` is that of the other site: a frame has no choice of its own.
    """
    if not settings.EMBED_SITES:
        raise Http404
    framed = csp_replace({"frame-ancestors": settings.EMBED_SITES})(_week_to_embed)
    language = request.GET.get("language", "")
    with translation.override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
        return framed(request)


def _week_to_embed(request):
    meetings = Meeting.objects.listed().upcoming_or_cancelled().within_days(EMBED_DAYS).in_order()
    response = render(
        request,
        "meetings/embed.html",
        {"meetings": meetings.select_related("group")[:EMBED_MOST], "site_url": settings.SITE_URL},
    )
    response["Cache-Control"] = "public, max-age=300"
    response["X-Robots-Tag"] = "noindex"
    response["Content-Language"] = translation.get_language()
    return response


@login_not_required
@require_safe
def sitemap(request):
    """The pages that are for everybody and stay where they are: a dated meeting is gone in a week."""
    fixed = [reverse(name) for name in ("home", "meetings:meeting_list", "members:help_now")]
    listed = [group.get_absolute_url() for group in Group.objects.listed().only("slug").order_by("slug")]
    urls = "".join(f"<url><loc>{escape(settings.SITE_URL + path)}</loc></url>\n" for path in [*fixed, *listed])
    return HttpResponse(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
        content_type="application/xml; charset=utf-8",
    )


@login_not_required
@require_safe
def robots(request):
    """Names what search engines may look at; what is left out is not named."""
    public = ["/$", reverse("meetings:meeting_list"), "/groups/", reverse("members:help_now"), f"/{_static()}/"]
    lines = ["User-agent: *", *(f"Allow: {path}" for path in public), "Disallow: /"]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('meetings:sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _static() -> str:
    return settings.STATIC_URL.strip("/")
