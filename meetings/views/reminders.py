"""How I am reminded."""

from datetime import date, timedelta

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

import members.services
from groups.models import Group, Membership
from groups.services import mute_groups
from members.models import Consent, Member, ReminderSettings
from outbox import kinds
from outbox.kinds import Letter
from outbox.letters import WordsInUse, letter

from .. import mails
from ..forms import RemindersForm
from ..models import Meeting, MeetingSeries, Participation

HOW = ("wanted", "lead", "week_day", "wording", "quiet_from", "quiet_until")
AT_WORK = ["roster_nudges", "weekly_figures"]
# The field without which nobody gets it, its kind, and what it is called here.
OTHER_MAILS = [
    ("week_day", "week", gettext_lazy("Once a week")),
    ("wanted", "welcome", gettext_lazy("Before your first meeting")),
    ("missed_you", "missed", gettext_lazy("When we missed you")),
    ("group_messages", "message", gettext_lazy("When somebody who runs a meeting writes")),
    ("roster_nudges", "roster_open", gettext_lazy("When nobody has noted who came")),
    ("weekly_figures", "figures", gettext_lazy("The numbers of the week")),
]
EXAMPLE = {"name": gettext_lazy("your group"), "place": gettext_lazy("Its place")}


@require_http_methods(["GET", "POST"])
def reminders(request):
    """Everything about my reminders on one page: whether, when, in which words, from which groups."""
    member = request.user
    wish = ReminderSettings.objects.filter(member=member).first() or ReminderSettings(member=member)
    today = timezone.localdate(timezone=request.zone)
    if "start_again" in request.POST:
        if members.services.end_reminder_pause(member):
            messages.success(request, _("The pause is over. Your reminders start again now."))
        return redirect("meetings:reminders")
    posted = request.POST if request.method == "POST" else None
    form = RemindersForm(posted, initial=_as_they_are(member, wish) | _at_work(member, wish), member=member)
    if form.is_valid():
        _save(member, form.cleaned_data, today)
        messages.success(request, _say_saved(form.cleaned_data))
        return redirect("meetings:reminders")
    context = {
        "form": form,
        "paused_until": wish.paused_until if wish.is_paused_on(today) else None,
        "has_groups": Group.objects.of_member(member).exists(),
        "previews": _previews(member),
        "letters": _letters(member, form),
    }
    return render(request, "meetings/reminders.html", context, status=400 if form.is_bound else 200)


@transaction.atomic
def _save(member: Member, chosen: dict, today: date) -> None:
    members.services.choose_reminders(member, **{name: chosen[name] for name in HOW if name in chosen})
    if chosen["pause"]:
        members.services.pause_reminders(member, until=today + timedelta(weeks=int(chosen["pause"])))
    mute_groups(chosen["muted"], by=member)
    if "missed_you" in chosen:
        members.services.choose_missed_you(member, wanted=chosen["missed_you"])
    if "group_messages" in chosen:
        members.services.choose_group_messages(member.pk, wanted=chosen["group_messages"])
    if at_work := {name: chosen[name] for name in AT_WORK if name in chosen}:
        members.services.choose_mail_at_work(member.pk, **at_work)


def _say_saved(chosen: dict) -> str:
    if not chosen["wanted"]:
        return _("No more reminders. Your places stay as they are.")
    if chosen["pause"]:
        return _("Saved. Your reminders rest for now and start again by themselves.")
    if chosen["lead"] == ReminderSettings.Lead.WEEKLY:
        return _("Saved. We will send you one e-mail a week with all your times.")
    return _("Saved. We will send you a short e-mail before your meetings.")


def _as_they_are(member: Member, wish: ReminderSettings) -> dict:
    consents = set(Consent.objects.standing().filter(member=member).values_list("kind", flat=True))
    full = wish.wording == ReminderSettings.Wording.FULL and Consent.Kind.FULL_WORDING in consents
    return {
        "wanted": Consent.Kind.REMINDERS in consents,
        "missed_you": Consent.Kind.MISSED_YOU in consents,
        "group_messages": wish.group_messages,
        "lead": _lead(wish),
        "week_day": wish.week_day,
        "wording": ReminderSettings.Wording.FULL if full else ReminderSettings.Wording.NEUTRAL,
        "agree": full,
        "quiet_from": wish.quiet_from,
        "quiet_until": wish.quiet_until,
        "muted": list(Membership.objects.active().filter(member=member, is_muted=True).values_list("group", flat=True)),
    }


def _lead(wish: ReminderSettings) -> str:
    """Who chose one mail a week where it is sent no more is reminded some days before."""
    is_gone = wish.lead == ReminderSettings.Lead.WEEKLY and not kinds.is_sent_here("week")
    return ReminderSettings.Lead.DAYS if is_gone else wish.lead


def _at_work(member: Member, wish: ReminderSettings) -> dict:
    return {name: getattr(wish, name) for name in AT_WORK} if member.works_here else {}


def _previews(member: Member) -> list[tuple[str, str, str]]:
    """Name of the wording, subject and first line: what a locked phone would show, from the letter itself."""
    meeting, participation = _example(member)
    previews = []
    for wording in ReminderSettings.Wording:
        full = wording == ReminderSettings.Wording.FULL
        shown = mails.preview_reminder(meeting, participation, translation.get_language() or "en", full=full)
        previews.append((str(wording.label), shown.subject, shown.first_line))
    return previews


def _letters(member: Member, form: RemindersForm) -> list[tuple[str, Letter]]:
    """The other mails somebody may get, each with its name, as they would be."""
    language = translation.get_language() or "en"
    mine = [
        (str(name), kinds.get(kind).letters[0])
        for field, kind, name in OTHER_MAILS
        if kinds.is_sent_here(kind) and field in form.fields
    ]
    in_use = WordsInUse(editable for _name, editable in mine)
    return [
        (name, letter(editable.template, editable.example(), in_use.for_person(editable, member.pk, language)))
        for name, editable in mine
    ]


def _example(member: Member) -> tuple[Meeting, Participation]:
    """The next meeting they have a place in, or one that is made up and never saved."""
    participation = (
        Participation.objects.filter(member=member, rsvp=Participation.Rsvp.GOING)
        .filter(meeting__in=Meeting.objects.upcoming())
        .select_related("meeting__group")
        .order_by("meeting__starts_at")
        .first()
    )
    if participation:
        return participation.meeting, participation
    group = Group(name=str(EXAMPLE["name"]), place=str(EXAMPLE["place"]))
    starts_at = (timezone.now() + timedelta(days=2)).replace(hour=23, minute=0, second=0, microsecond=0)
    meeting = Meeting(group=group, series=MeetingSeries(), starts_at=starts_at, time_zone=group.time_zone)
    return meeting, Participation(meeting=meeting, member=member, rsvp=Participation.Rsvp.GOING)
