"""What the first page of the admin says about meetings: today and this week, open rosters, who was missed, what fills
up."""

from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from django.conf import settings
from django.db.models import Count, F, Q
from django.utils import timezone

from groups.models import Group
from members.models import Member
from members.scoped_admin import COORDINATOR, COUNSELOR, SUPERUSER, role_of
from members.start_parts import StartPart, register

from . import services, wording
from .access import is_substitute
from .models import Meeting, Outreach, Participation
from .note_models import Incident

FACILITATE = frozenset({COUNSELOR, COORDINATOR})
MOST_MEETINGS = 60
MOST_SHOWN = 10
OPEN_LATELY = timedelta(days=28)  # a roster open for longer is looked for in the list
CONTACTED_LATELY = timedelta(days=7)


def register_parts() -> None:
    register(
        StartPart("week", 10, FACILITATE | {SUPERUSER}, "admin/_start_week.html", _week),
        StartPart("lent", 15, frozenset({COUNSELOR}), "admin/_start_lent.html", _lent),
        StartPart("rosters", 20, FACILITATE, "admin/_start_rosters.html", _rosters),
        StartPart("logs", 30, FACILITATE, "admin/_start_logs.html", _logs),
        StartPart("incidents", 35, FACILITATE, "admin/_start_incidents.html", _incidents),
        StartPart("outreach", 50, FACILITATE, "admin/_start_outreach.html", _outreach),
        StartPart("nearly-full", 60, FACILITATE, "admin/_start_nearly_full.html", _nearly_full),
    )


def _week(staff: Member) -> dict:
    """Today, from its first hour where each group meets, and the six days after it, by day."""
    found = Meeting.objects.visible_to(staff).this_week().in_order().select_related("group")
    meetings = list(found[: MOST_MEETINGS + 1])
    is_more, meetings = len(meetings) > MOST_MEETINGS, meetings[:MOST_MEETINGS]
    counts = _counts(meetings)
    rows = [
        {"meeting": meeting, "time": wording.clock(meeting.local_start), **counts[meeting.pk]}
        for meeting in sorted(meetings, key=attrgetter("local_date"))
    ]
    days = [(day, list(of_day)) for day, of_day in groupby(rows, key=lambda row: row["meeting"].local_date)]
    return {
        "days": [
            {"day": wording.day(day), "is_today": _is_today(of_day[0]["meeting"]), "rows": of_day}
            for day, of_day in days
        ],
        "is_more": is_more,
        "may_see_roster": role_of(staff) in FACILITATE,
    }


def _lent(staff: Member) -> dict | None:
    """Dates that somebody leads for a colleague: what is to come, and what they can still open."""
    found = Meeting.objects.led_as_substitute(staff).in_order().select_related("group")
    rows = [
        {"meeting": meeting, "when": wording.when(meeting), "is_lent": is_substitute(staff, meeting)}
        for meeting in found[:MOST_SHOWN]
    ]
    return {"rows": rows} if rows else None


def _is_today(meeting: Meeting) -> bool:
    return meeting.local_date == timezone.now().astimezone(meeting.zone).date()


def _counts(meetings: list[Meeting]) -> dict:
    """How many are going and how many wait, for each meeting."""
    counted = (
        Participation.objects.filter(meeting__in=meetings)
        .order_by()
        .values("meeting")
        .annotate(
            going=Count("pk", filter=Q(rsvp=Participation.Rsvp.GOING)),
            waiting=Count("pk", filter=Q(rsvp=Participation.Rsvp.WAITLISTED)),
        )
    )
    found = {row["meeting"]: {"going": row["going"], "waiting": row["waiting"]} for row in counted}
    return {meeting.pk: found.get(meeting.pk, {"going": 0, "waiting": 0}) for meeting in meetings}


def _rosters(staff: Member) -> dict:
    """Meetings that are over and of which nobody has said who came, the newest first."""
    since = timezone.now() - OPEN_LATELY
    found = Meeting.objects.visible_to(staff).roster_open().over().filter(starts_at__gt=since)
    rows = list(found.select_related("group").order_by("-starts_at", "pk")[: MOST_SHOWN + 1])
    return {
        "rows": [{"meeting": meeting, "when": wording.when(meeting)} for meeting in rows[:MOST_SHOWN]],
        "is_more": len(rows) > MOST_SHOWN,
    }


def _logs(staff: Member) -> dict:
    """Meetings whose session log should have been signed by now (OPS-16), the oldest first."""
    found = Meeting.objects.visible_to(staff).log_overdue()
    rows = list(found.select_related("group").in_order()[: MOST_SHOWN + 1])
    return {
        "rows": [{"meeting": meeting, "when": wording.when(meeting)} for meeting in rows[:MOST_SHOWN]],
        "is_more": len(rows) > MOST_SHOWN,
    }


def _incidents(staff: Member) -> dict | None:
    """Incidents of which a step is still due. What happened is read on their own page, after signing in anew."""
    found = Incident.objects.to_follow_up().for_those_who_run(Group.objects.visible_to(staff))
    rows = list(found.defer("sealed").select_related("meeting__group")[: MOST_SHOWN + 1])
    return {"rows": rows[:MOST_SHOWN], "is_more": len(rows) > MOST_SHOWN} if rows else None


def _outreach(staff: Member) -> dict:
    rows = services.people_to_reach(staff, most=MOST_SHOWN + 1)
    lately = Outreach.objects.visible_to(staff).filter(contacted_at__gt=timezone.now() - CONTACTED_LATELY)
    return {
        "rows": rows[:MOST_SHOWN],
        "is_more": len(rows) > MOST_SHOWN,
        "times": settings.OUTREACH_AFTER_MISSED,
        "contacted": list(lately.select_related("member", "meeting__group", "contacted_by")[:MOST_SHOWN]),
    }


def _nearly_full(staff: Member) -> dict:
    """Groups of which the next meeting has few places left or none, the longest line first."""
    soon = timezone.now() + timedelta(weeks=settings.WEEKS_AHEAD)
    next_ones = (
        Meeting.objects.visible_to(staff)
        .upcoming()
        .filter(starts_at__lt=soon)
        .order_by("group_id", "starts_at", "pk")
        .distinct("group_id")
    )
    full = Meeting.objects.filter(
        pk__in=next_ones.values("pk"), places_taken__gte=F("capacity") * settings.NEARLY_FULL_PERCENT / 100.0
    )
    waiting = Count("participations", filter=Q(participations__rsvp=Participation.Rsvp.WAITLISTED))
    rows = list(
        full.annotate(waiting=waiting).select_related("group").order_by("-waiting", "starts_at", "pk")[: MOST_SHOWN + 1]
    )
    return {
        "rows": [{"meeting": meeting, "when": wording.when(meeting)} for meeting in rows[:MOST_SHOWN]],
        "is_more": len(rows) > MOST_SHOWN,
    }
