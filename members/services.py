import hashlib
import secrets
from datetime import date, datetime, timedelta
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest, Now
from django.utils import timezone, translation

from audit.services import record
from outbox.models import Email
from outbox.services import wake_senders

from .models import SUNDAY, Consent, Member, ReminderSettings


@transaction.atomic
def give_consent(member: Member, kind: Consent.Kind) -> bool:
    """Record that a member agreed, and to which words in their language. False if they already had."""
    text = str(Consent.WORDS[kind])
    _consent, created = Consent.objects.get_or_create(
        member=member,
        kind=kind,
        withdrawn_at=None,
        defaults={
            "text": text,
            "text_hash": hashlib.sha256(text.encode()).hexdigest(),
            "language": translation.get_language() or member.language,
        },
    )
    if created:
        record("consent.given", member, by=member, kind=kind)
    return created


@transaction.atomic
def withdraw_consent(member_id: UUID, kind: Consent.Kind) -> bool:
    """Take a consent back. False if there was none standing."""
    if not Consent.objects.standing().filter(member_id=member_id, kind=kind).update(withdrawn_at=timezone.now()):
        return False
    member = Member.objects.get(pk=member_id)
    record("consent.withdrawn", member, by=member, kind=kind)
    return True


def change_display(member: Member, *, language: str, time_zone: str, text_size: str) -> bool:
    """Keep how a member wants the site to look. False if it is so already. The zone may be empty: as the device."""
    chosen = {"language": language, "time_zone": time_zone, "text_size": text_size}
    return bool(Member.objects.filter(pk=member.pk).exclude(**chosen).update(**chosen))


def change_language(member: Member, language: str) -> bool:
    """Speak another language to a member, in mails too. False if it is theirs already, or not one of ours."""
    if language not in dict(settings.LANGUAGES):
        return False
    return bool(Member.objects.filter(pk=member.pk).exclude(language=language).update(language=language))


@transaction.atomic
def change_display_name(member: Member, name: str) -> bool:
    """Call a member by another name from now on. False if it is theirs already."""
    if not Member.objects.filter(pk=member.pk).exclude(display_name=name).update(display_name=name):
        return False
    record("member.display_name", member, by=member)
    return True


@transaction.atomic
def end_sessions(member: Member) -> None:
    """Sign a member out on every device."""
    for session in UserSession.objects.filter(user=member):
        session.end()
    record("member.sessions_ended", member, by=member)


def note_data_taken(member: Member) -> None:
    """Note that a member took a copy of what this site knows about them: they would see it if somebody else did."""
    record("member.data_taken", member, by=member)


@transaction.atomic
def open_calendar(member: Member) -> bool:
    """Give a member an address for their calendar, with their consent (EML-10). False if they have one."""
    given = give_consent(member, Consent.Kind.CALENDAR)
    without = Member.objects.filter(pk=member.pk)
    if not given:
        without = without.filter(calendar_token=None)
    return bool(without.update(calendar_token=secrets.token_urlsafe(32)))


@transaction.atomic
def renew_calendar(member: Member) -> bool:
    """Give a member's calendar a new address; the old one is dead at once (EML-20). False if they have none."""
    if not Member.objects.with_calendar().filter(pk=member.pk).update(calendar_token=secrets.token_urlsafe(32)):
        return False
    record("calendar.renewed", member, by=member)
    return True


def name_groups_in_calendar(member: Member) -> bool:
    """Let a member's calendar name groups and places, with a consent of its own. False if it does already."""
    return give_consent(member, Consent.Kind.FULL_CALENDAR)


def stop_naming_groups_in_calendar(member: Member) -> bool:
    """Let it say “Appointment” again. False if it does."""
    return withdraw_consent(member.pk, Consent.Kind.FULL_CALENDAR)


def note_calendar_change(member_id: UUID, tag: str) -> datetime:
    """Note that a member's calendar says something else now. Returns since when, by the second: later than before."""
    later = Greatest(Now(), F("calendar_changed_at") + timedelta(seconds=1))
    Member.objects.filter(pk=member_id).exclude(calendar_tag=tag).update(calendar_tag=tag, calendar_changed_at=later)
    return Member.objects.values_list("calendar_changed_at", flat=True).get(pk=member_id)


@transaction.atomic
def close_calendar(member: Member) -> bool:
    """Take the address away for good and withdraw the consents. False if there was nothing to take."""
    had_one = Member.objects.filter(pk=member.pk, calendar_token__isnull=False).update(calendar_token=None)
    stop_naming_groups_in_calendar(member)
    return withdraw_consent(member.pk, Consent.Kind.CALENDAR) or bool(had_one)


@transaction.atomic
def choose_reminders(
    member: Member,
    *,
    wanted: bool,
    lead: str,
    wording: str,
    quiet_from: int | None,
    quiet_until: int | None,
    week_day: int = SUNDAY,
) -> None:
    """Save whether and how somebody wants to be reminded. Full wording is a consent of its own, gone with it.

    `week_day` counts for those who want one mail a week; Monday is 0.
    """
    full = wording == ReminderSettings.Wording.FULL
    for kind, is_given in ((Consent.Kind.REMINDERS, wanted), (Consent.Kind.FULL_WORDING, full)):
        if is_given:
            give_consent(member, kind)
        else:
            withdraw_consent(member.pk, kind)
    ReminderSettings.objects.update_or_create(
        member=member,
        defaults={
            "lead": lead,
            "wording": wording,
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
            "week_day": week_day,
        },
    )


@transaction.atomic
def choose_missed_you(member: Member, *, wanted: bool) -> bool:
    """Save whether somebody is written to when they were missed: a consent. False if it is so already."""
    if wanted:
        return give_consent(member, Consent.Kind.MISSED_YOU)
    return withdraw_consent(member.pk, Consent.Kind.MISSED_YOU)


def choose_mail_at_work(member_id: UUID, **chosen: bool) -> bool:
    """Save which mail about their work somebody gets (`roster_nudges`, `weekly_figures`). False if nothing changed."""
    if not Member.objects.filter(pk=member_id).exists():
        return False
    wish, is_new = ReminderSettings.objects.get_or_create(member_id=member_id, defaults=chosen)
    return is_new or bool(ReminderSettings.objects.filter(pk=wish.pk).exclude(**chosen).update(**chosen))


def choose_group_messages(member_id: UUID, *, wanted: bool) -> bool:
    """Save whether somebody gets messages from those who run their meetings. False if nothing changed."""
    return choose_mail_at_work(member_id, group_messages=wanted)


def mark_week_seen(member: Member, *, until: datetime) -> bool:
    """Note up to when somebody has seen what is new. False if that is nothing new, or a time that is to come."""
    older = Member.objects.filter(pk=member.pk).filter(Q(week_seen_at=None) | Q(week_seen_at__lt=until))
    return until <= timezone.now() and bool(older.update(week_seen_at=until))


def pause_reminders(member: Member, *, until: date) -> None:
    """Hold reminders back until a day, on which they start again by themselves."""
    ReminderSettings.objects.update_or_create(member=member, defaults={"paused_until": until})


def end_reminder_pause(member: Member) -> bool:
    """Start reminders again now. False if they were not paused."""
    return bool(ReminderSettings.objects.filter(member=member, paused_until__isnull=False).update(paused_until=None))


@transaction.atomic
def change_role(member: Member, role: str, *, by: Member) -> bool:
    """Give somebody another role and end their sessions (SEC-08). False if it is theirs, or not for `by` to give.

    Nobody changes their own role, and only a superuser that of a superuser.
    """
    others = Member.objects.filter(pk=member.pk).exclude(pk=by.pk).exclude(role=role)
    if not by.is_superuser:
        others = others.exclude(is_superuser=True)
    if role not in Member.Role.values or not others.update(role=role):
        return False
    for session in UserSession.objects.filter(user=member):
        session.end()
    record("member.role", member, by=by, role=role)
    return True


@transaction.atomic
def send_mail_again(emails: QuerySet[Email], *, by: Member) -> int:
    """Let mail that was given up leave once more, if it would still help. Returns how many."""
    chosen = list(emails.select_for_update(of=["self"]))
    tried = 0
    for email in chosen:
        if Email.objects.filter(pk=email.pk).send_again():
            record("email.tried_again", email, by=by, member=str(email.recipient_id), kind=email.kind)
            tried += 1
    if tried:
        transaction.on_commit(wake_senders)
    return tried
