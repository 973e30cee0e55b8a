"""The schedule of a group in the admin: what comes, and each change shown as it would be before it is made."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from groups.models import Group, Topic

from . import services, wording
from .models import Meeting, MeetingSeries, Suspension
from .schedule_forms import (
    CancelRangeForm,
    ChangeDateForm,
    ChangeSeriesForm,
    PauseForm,
    SubstituteForm,
    TopicPlanForm,
)


class ChangePages:
    """What the pages share: a form, a look at what it would do, and then the change itself."""

    admin_site: admin.AdminSite
    opts: Any

    def ask(self, request, *, title: str, form: forms.Form, groups: list[Group], back: str, change: Callable, **more):
        """Show the form; once it is filled in, what would happen; and on “save”, do it and go back.

        A refusal of the database is said above the form, and nothing has changed.
        """
        rehearsal = None
        if request.method == "POST" and form.is_valid():
            if "save" in request.POST:
                try:
                    change()
                except services.Clash as clash:
                    form.add_error(None, str(clash))
                else:
                    messages.success(request, _("Saved. Those who were coming and are concerned get a mail."))
                    return redirect(back)
            else:
                rehearsal = services.rehearse(groups, change)
                if rehearsal.clash:
                    form.add_error(None, rehearsal.clash)
                    rehearsal = None
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "groups": groups,
            "rehearsal": rehearsal,
            "several": len(groups) > 1,
            "back": back,
            **more,
        }
        status = 400 if form.errors else 200
        return TemplateResponse(request, "admin/meetings/schedule_change.html", context, status=status)


def schedule_url(group: Group) -> str:
    return reverse("admin:groups_group_schedule", args=[group.pk])


class GroupSchedulePages(ChangePages):
    """Added to the admin of groups."""

    def schedule_urls(self) -> list:
        view = self.admin_site.admin_view
        one = "<int:group_id>/schedule/"
        series = f"{one}<int:series_id>/"
        return [
            path("holiday/", view(self.holiday_view), name="groups_group_holiday"),
            path(one, view(self.schedule_view), name="groups_group_schedule"),
            path(f"{series}edit/", view(self.series_view), name="groups_group_series"),
            path(f"{series}pause/", view(self.pause_view), name="groups_group_pause"),
            path(f"{series}undo/", view(self.undo_series_view), name="groups_group_undo_series"),
            path(f"{one}resume/<int:suspension_id>/", view(self.resume_view), name="groups_group_resume"),
        ]

    def _group(self, request, group_id: int) -> Group:
        """A group whose schedule this person may change; of all others it is not said whether they exist."""
        if not self.has_change_permission(request):  # type: ignore[attr-defined]  # a mixin
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=group_id)  # type: ignore[attr-defined]

    def _series(self, request, group_id: int, series_id: int) -> tuple[Group, MeetingSeries]:
        group = self._group(request, group_id)
        series = get_object_or_404(MeetingSeries.objects.filter(group=group), pk=series_id)
        series.group = group
        return group, series

    def schedule_view(self, request, group_id):
        """The next twelve dates with their topics, the pauses, and what can be changed."""
        group = self._group(request, group_id)
        rows = services.upcoming_dates(group)
        planned = [row.meeting for row in rows if row.meeting and row.meeting.is_open]
        topics = list(Topic.objects.for_group(group).order_by("name"))
        form = TopicPlanForm(request.POST or None, meetings=planned, topics=topics)
        if request.method == "POST" and form.is_valid():
            changed = services.choose_topics(group, form.chosen, by=request.user)
            done = ngettext("%(count)s topic saved.", "%(count)s topics saved.", changed) % {"count": changed}
            messages.success(request, done)
            return redirect(schedule_url(group))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Schedule"),
            "opts": self.opts,
            "group": group,
            "rows": [(row, form[f"topic-{row.meeting.pk}"] if row.meeting in planned else None) for row in rows],
            "form": form,
            "schedules": self._schedules(group),
        }
        status = 400 if form.errors else 200
        return TemplateResponse(request, "admin/meetings/group_schedule.html", context, status=status)

    def _schedules(self, group: Group) -> list[dict]:
        today = timezone.localdate()
        running = MeetingSeries.objects.not_over().filter(group=group).select_related("came_from")
        return [
            {
                "series": series,
                "pattern": wording.pattern(series),
                "from_on": wording.day(series.from_on) if series.from_on > today else "",
                "until_on": wording.day(series.until_on) if series.until_on else "",
                "came_from": wording.pattern(series.came_from) if series.came_from else "",
                "may_undo": series.came_from is not None and series.from_on > today,
                "pauses": [one for one in series.suspensions.all() if not one.until_on or one.until_on >= today],
            }
            for series in running.prefetch_related("suspensions")
        ]

    def series_view(self, request, group_id, series_id):
        group, series = self._series(request, group_id, series_id)
        form = ChangeSeriesForm(request.POST or None, series=series)

        def change():
            since = form.cleaned_data["since"]
            if since:
                return services.change_later_dates(series, by=request.user, since=since, **form.rule)
            return services.change_all_dates(series, by=request.user, **form.rule)

        title = _("Change the schedule")
        return self.ask(request, title=title, form=form, groups=[group], back=schedule_url(group), change=change)

    def pause_view(self, request, group_id, series_id):
        group, series = self._series(request, group_id, series_id)
        form = PauseForm(request.POST or None, group=group)

        def change():
            return services.suspend_series(series, by=request.user, **form.cleaned_data)

        return self.ask(request, title=_("Pause"), form=form, groups=[group], back=schedule_url(group), change=change)

    def resume_view(self, request, group_id, suspension_id):
        group = self._group(request, group_id)
        pause = get_object_or_404(Suspension.objects.filter(series__group=group), pk=suspension_id)
        today = timezone.now().astimezone(ZoneInfo(group.time_zone)).date()

        def change():
            return services.end_suspension(pause, by=request.user, on=today)

        title = _("Go on now")
        return self.ask(
            request,
            title=title,
            form=forms.Form(request.POST or None),
            groups=[group],
            back=schedule_url(group),
            change=change,
        )

    def undo_series_view(self, request, group_id, series_id):
        group, series = self._series(request, group_id, series_id)
        if series.came_from is None:
            raise Http404

        def change():
            return services.undo_later_dates(series, by=request.user)

        title = _("Take the change back")
        return self.ask(
            request,
            title=title,
            form=forms.Form(request.POST or None),
            groups=[group],
            back=schedule_url(group),
            change=change,
        )

    def holiday_view(self, request):
        """Cancel a range of days for some groups."""
        if not self.has_change_permission(request):  # type: ignore[attr-defined]  # a mixin
            raise PermissionDenied
        asked = (request.POST or request.GET).getlist("groups")
        if self.is_refused(request, Group, asked, way="group_holiday"):  # type: ignore[attr-defined]  # a mixin
            return redirect("admin:groups_group_changelist")
        mine = self.get_queryset(request).filter(pk__in=MeetingSeries.objects.running().values("group"))  # type: ignore[attr-defined]
        form = CancelRangeForm(request.POST or None, groups=mine, initial={"groups": request.GET.getlist("groups")})
        chosen = list(form.cleaned_data["groups"]) if form.is_bound and form.is_valid() else []

        def change():
            return services.cancel_range(
                chosen, by=request.user, **{k: form.cleaned_data[k] for k in ("from_on", "until_on", "reason")}
            )

        back = reverse("admin:groups_group_changelist")
        return self.ask(request, title=_("Cancel a range of days"), form=form, groups=chosen, back=back, change=change)


class MeetingSchedulePages(ChangePages):
    """Added to the admin of meetings: changes of one date."""

    def schedule_urls(self) -> list:
        view = self.admin_site.admin_view
        one = "<uuid:meeting_id>/"
        return [
            path(f"{one}move/", view(self.move_view), name="meetings_meeting_move"),
            path(f"{one}put-back/", view(self.put_back_view), name="meetings_meeting_put_back"),
            path(f"{one}take-up/", view(self.take_up_view), name="meetings_meeting_take_up"),
            path(f"{one}substitute/", view(self.substitute_view), name="meetings_meeting_substitute"),
        ]

    def _meeting(self, request, meeting_id) -> Meeting:
        if not self.has_change_permission(request):  # type: ignore[attr-defined]  # a mixin
            raise PermissionDenied
        mine = self.get_queryset(request).select_related("group", "series", "room", "substitute")  # type: ignore[attr-defined]
        return get_object_or_404(mine, pk=meeting_id)

    def _ask_of(self, request, meeting: Meeting, title: str, form: forms.Form, change: Callable, **more):
        back = schedule_url(meeting.group)
        when = wording.when(meeting)
        return self.ask(
            request, title=title, form=form, groups=[meeting.group], back=back, change=change, date=when, **more
        )

    def _refuse(self, request, meeting: Meeting, words: str):
        messages.error(request, words)
        return redirect(schedule_url(meeting.group))

    def move_view(self, request, meeting_id):
        """Another day, hour, room or way of meeting: for this date, for this and later ones, or for all."""
        meeting = self._meeting(request, meeting_id)
        if not meeting.is_open:
            return self._refuse(request, meeting, _("This date is past or off, so it stays as it is."))
        form = ChangeDateForm(request.POST or None, meeting=meeting)

        def change():
            match form.cleaned_data["scope"]:
                case ChangeDateForm.Scope.THIS:
                    return services.move_meeting(meeting, by=request.user, **form.place_and_time)
                case ChangeDateForm.Scope.LATER:
                    since = meeting.series_date
                    return services.change_later_dates(meeting.series, by=request.user, since=since, **form.rule)
                case _all:
                    return services.change_all_dates(meeting.series, by=request.user, **form.rule)

        put_back = reverse("admin:meetings_meeting_put_back", args=[meeting.pk]) if meeting.stands_alone else ""
        return self._ask_of(request, meeting, _("Change this date"), form, change, put_back=put_back)

    def put_back_view(self, request, meeting_id):
        meeting = self._meeting(request, meeting_id)

        def change():
            return services.put_back_meeting(meeting, by=request.user)

        return self._ask_of(request, meeting, _("Go by the schedule again"), forms.Form(request.POST or None), change)

    def take_up_view(self, request, meeting_id):
        meeting = self._meeting(request, meeting_id)
        if meeting.status != Meeting.Status.CANCELLED or meeting.has_begun:
            return self._refuse(request, meeting, _("This date is not cancelled, or it is past."))

        def change():
            return services.take_up_meeting(meeting, by=request.user)

        return self._ask_of(request, meeting, _("Hold this date after all"), forms.Form(request.POST or None), change)

    def substitute_view(self, request, meeting_id):
        """Who leads this one date; they open its roster from a day before until a day after."""
        meeting = self._meeting(request, meeting_id)
        if not meeting.is_open:
            return self._refuse(request, meeting, _("This date is past or off, so it stays as it is."))
        form = SubstituteForm(request.POST or None, meeting=meeting)

        def change():
            return services.choose_substitute(meeting, form.cleaned_data["substitute"], by=request.user)

        return self._ask_of(request, meeting, _("Who leads this date"), form, change)
