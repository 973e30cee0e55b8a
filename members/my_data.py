"""What this site knows about a member from members, and from the apps below, which know no member: mail and audit."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import AuditEvent
from outbox.models import BouncedAddress, Email

from . import devices
from .data_parts import Part, Theme, register, register_words, words_for
from .models import Consent, Member, ReminderSettings

WITH_ACCOUNT = gettext_lazy("As long as you have an account.")

FACTORS = {
    Authenticator.Type.TOTP.value: gettext_lazy("codes from an app"),
    Authenticator.Type.RECOVERY_CODES.value: gettext_lazy("spare codes"),
    Authenticator.Type.WEBAUTHN.value: gettext_lazy("passkey"),
}

MAIL_STATES = {
    Email.State.QUEUED.value: gettext_lazy("waits to be sent"),
    Email.State.CLAIMED.value: gettext_lazy("is being sent"),
    Email.State.SENT.value: gettext_lazy("sent"),
    Email.State.FAILED.value: gettext_lazy("could not be sent"),
    Email.State.BOUNCED.value: gettext_lazy("came back: it did not arrive"),
    Email.State.EXPIRED.value: gettext_lazy("came too late to help, and was not sent"),
    Email.State.SUPPRESSED.value: gettext_lazy("not needed any more, and not sent"),
}


def register_parts() -> None:
    register(ACCOUNT, REMINDERS, CONSENTS, MAIL, BOUNCED, ADDRESSES, SECOND_FACTORS, SESSIONS, ADMIN_WORK, RECORD)
    register_words(WORDS)


ACCOUNT = Part(
    name="account",
    theme=Theme.YOU,
    heading=gettext_lazy("Your account"),
    why=gettext_lazy("So that you can sign in, be met by a name you chose, and read this site your way."),
    kept=WITH_ACCOUNT,
    columns={
        "display_name": gettext_lazy("Name here"),
        "email": gettext_lazy("E-mail address"),
        "code": gettext_lazy("Code that stands for you on paper"),
        "joined_at": gettext_lazy("Account since"),
        "last_login": gettext_lazy("Last signed in"),
        "language": gettext_lazy("Language"),
        "time_zone": gettext_lazy("Time zone"),
        "text_size": gettext_lazy("Size of the words"),
        "password": gettext_lazy("Password"),
        "calendar": gettext_lazy("Calendar address"),
        "week_seen_at": gettext_lazy("Last put away what was new"),
        "role": gettext_lazy("What you do here"),
        "is_active": gettext_lazy("Account is open"),
    },
    rows=lambda member: Member.objects.filter(pk=member.pk),
    say=lambda row, member: (
        row.display_name,
        row.email,
        row.code,
        row.joined_at,
        row.last_login,
        row.get_language_display(),
        row.time_zone or _("as your device"),
        row.get_text_size_display(),
        _("kept scrambled: nobody can read it") if row.has_usable_password() else _("none"),
        _("you have one; it is shown on your calendar page") if row.calendar_token else _("none"),
        row.week_seen_at,
        _("runs the machine") if row.is_superuser else row.get_role_display(),
        row.is_active,
    ),
    covers=frozenset(
        f"members.Member.{column}"
        for column in (
            "id",
            "code",
            "email",
            "display_name",
            "role",
            "language",
            "time_zone",
            "text_size",
            "calendar_token",
            "calendar_tag",
            "calendar_changed_at",
            "week_seen_at",
            "is_active",
            "joined_at",
            "password",
            "last_login",
            "is_superuser",
        )
    ),
)

ADDRESSES = Part(
    name="addresses",
    theme=Theme.SIGNING_IN,
    heading=gettext_lazy("E-mail addresses"),
    why=gettext_lazy("To send you codes and to know that an address is yours."),
    kept=gettext_lazy("Until you change to another address, or as long as you have an account."),
    columns={
        "email": gettext_lazy("E-mail address"),
        "verified": gettext_lazy("You have shown that it is yours"),
        "primary": gettext_lazy("The one we write to"),
    },
    rows=lambda member: EmailAddress.objects.filter(user=member).order_by("-primary", "pk"),
    say=lambda row, member: (row.email, row.verified, row.primary),
    covers=frozenset({"account.EmailAddress.user"}),
)

SECOND_FACTORS = Part(
    name="second-ways",
    theme=Theme.SIGNING_IN,
    heading=gettext_lazy("Passkeys, codes from an app, spare codes"),
    why=gettext_lazy("You set these up to sign in more safely. The secrets in them are kept scrambled."),
    kept=gettext_lazy("Until you remove them."),
    columns={
        "kind": gettext_lazy("What it is"),
        "name": gettext_lazy("Name"),
        "created_at": gettext_lazy("Since"),
        "last_used_at": gettext_lazy("Last used"),
    },
    rows=lambda member: Authenticator.objects.filter(user=member).order_by("-created_at", "-pk"),
    say=lambda row, member: (
        FACTORS.get(row.type, row.type),
        row.wrap().name if row.type == Authenticator.Type.WEBAUTHN else None,
        row.created_at,
        row.last_used_at,
    ),
    covers=frozenset({"mfa.Authenticator.user"}),
)

SESSIONS = Part(
    name="devices",
    theme=Theme.SIGNING_IN,
    heading=gettext_lazy("Where you are signed in"),
    why=gettext_lazy("So that you can see it, and sign a lost phone out."),
    kept=gettext_lazy("Until you sign out there, or until you look at the list after that sign-in has ended."),
    columns={
        "device": gettext_lazy("Device"),
        "signed_in_at": gettext_lazy("Signed in"),
        "network_address": gettext_lazy("Network address it came from"),
    },
    rows=lambda member: UserSession.objects.filter(user=member).order_by("-created_at", "-pk"),
    say=lambda row, member: (devices.in_words(row.user_agent), row.created_at, row.ip),
    covers=frozenset({"usersessions.UserSession.user"}),
)

REMINDERS = Part(
    name="reminders",
    theme=Theme.MAIL,
    heading=gettext_lazy("How you want to be reminded"),
    why=gettext_lazy("So that reminders come when and how you chose."),
    kept=WITH_ACCOUNT,
    columns={
        "lead": gettext_lazy("How long before"),
        "wording": gettext_lazy("Wording"),
        "quiet_hours": gettext_lazy("Quiet hours"),
        "paused_until": gettext_lazy("Paused until"),
        "week_day": gettext_lazy("Day of the weekly e-mail"),
        "group_messages": gettext_lazy("Messages from those who run your meetings"),
        "roster_nudges": gettext_lazy("Told of open rosters"),
        "weekly_figures": gettext_lazy("Sent the figures of the week"),
    },
    rows=lambda member: ReminderSettings.objects.filter(member=member),
    say=lambda row, member: (
        row.get_lead_display(),
        row.get_wording_display(),
        None if row.quiet_from is None else f"{row.quiet_from}:00 – {row.quiet_until}:00",
        row.paused_until,
        row.get_week_day_display() if row.lead == ReminderSettings.Lead.WEEKLY else None,
        row.group_messages,
        row.roster_nudges if member.works_here else None,
        row.weekly_figures if member.works_here else None,
    ),
    covers=frozenset({"members.ReminderSettings.member"}),
)

CONSENTS = Part(
    name="consents",
    theme=Theme.MAIL,
    heading=gettext_lazy("What you agreed to"),
    why=gettext_lazy("So that nothing is sent that you did not agree to, and you can see which words you agreed to."),
    kept=gettext_lazy("As long as you have an account, also after you took it back."),
    columns={
        "kind": gettext_lazy("To what"),
        "given_at": gettext_lazy("You agreed"),
        "withdrawn_at": gettext_lazy("You took it back"),
        "text": gettext_lazy("The words you were shown"),
    },
    rows=lambda member: Consent.objects.filter(member=member).order_by("-given_at", "-pk"),
    say=lambda row, member: (row.get_kind_display(), row.given_at, row.withdrawn_at, row.text),
    covers=frozenset({"members.Consent.member"}),
)

MAIL = Part(
    name="mail",
    theme=Theme.MAIL,
    heading=gettext_lazy("Mails to you"),
    why=gettext_lazy(
        "So that each mail leaves once. The text of a mail is not kept. Sometimes we try two wordings, to see which "
        "helps more people to come."
    ),
    kept=WITH_ACCOUNT,
    columns={
        "kind": gettext_lazy("What for"),
        "state": gettext_lazy("Where it stands"),
        "variant": gettext_lazy("Wording, where two were tried"),
        "queued_at": gettext_lazy("Made ready"),
        "sent_at": gettext_lazy("Sent"),
    },
    rows=lambda member: (
        Email.objects.filter(recipient=member).select_related("wording_period").order_by("-queued_at", "-pk")
    ),
    say=lambda row, member: (
        words_for(f"mail.{row.kind}"),
        MAIL_STATES.get(row.state, row.state),
        row.variant if row.wording_period and row.wording_period.is_test else None,
        row.queued_at,
        row.sent_at,
    ),
    covers=frozenset({"outbox.Email.recipient"}),
)

BOUNCED = Part(
    name="bounced",
    theme=Theme.MAIL,
    heading=gettext_lazy("An address that sent our mail back"),
    why=gettext_lazy("So that we send nothing more there, and you can see why."),
    kept=WITH_ACCOUNT,
    columns={
        "address": gettext_lazy("E-mail address"),
        "status": gettext_lazy("What its mail server said"),
        "bounced_at": gettext_lazy("When"),
        "works_since": gettext_lazy("You said that it works"),
    },
    rows=lambda member: BouncedAddress.objects.filter(member=member).order_by("pk"),
    say=lambda row, member: (
        row.address,
        _("marked as junk") if row.is_complaint else row.status,
        row.bounced_at,
        row.works_since,
    ),
    covers=frozenset({"outbox.BouncedAddress.member"}),
)

ADMIN_WORK = Part(
    name="admin",
    theme=Theme.WORK,
    heading=gettext_lazy("What you did in the work pages"),
    why=gettext_lazy("So that those who work here can see what they changed."),
    kept=WITH_ACCOUNT,
    columns={
        "done": gettext_lazy("What"),
        "on": gettext_lazy("On what"),
        "at": gettext_lazy("When"),
    },
    rows=lambda member: LogEntry.objects.filter(user=member).select_related("content_type").order_by("-pk"),
    say=lambda row, member: (
        row.get_action_flag_display(),
        row.content_type.name if row.content_type else None,
        row.action_time,
    ),
    covers=frozenset({"admin.LogEntry.user"}),
)

RECORD = Part(
    name="record",
    theme=Theme.RECORD,
    heading=gettext_lazy("What you did here, and what others did with your record"),
    why=gettext_lazy("So that nobody can change or look at something without a trace."),
    kept=gettext_lazy("For good. It holds no names and none of your words, only codes of what was done."),
    columns={
        "done": gettext_lazy("What"),
        "at": gettext_lazy("When"),
        "by": gettext_lazy("Who"),
    },
    rows=lambda member: AuditEvent.objects.touching(member.pk),
    say=lambda row, member: (words_for(row.action), row.happened_at, _who(row, member)),
    covers=frozenset({"audit.AuditEvent.actor_id"}),
)


def _who(event: AuditEvent, member: Member) -> str:
    """Never who else: a member learns that somebody who works here did it, not their name."""
    if event.actor_id is None:
        return _("this site by itself")
    return _("you") if event.actor_id == member.pk else _("somebody who works here")


WORDS = {
    "access.denied": gettext_lazy("asked for something that was not theirs to see, and was refused"),
    "email.tried_again": gettext_lazy("had a mail sent once more"),
    "consent.given": gettext_lazy("agreed to something"),
    "consent.withdrawn": gettext_lazy("took an agreement back"),
    "member.display_name": gettext_lazy("changed the name here"),
    "member.sessions_ended": gettext_lazy("signed out on every device"),
    "member.role": gettext_lazy("changed what somebody does here"),
    "member.data_taken": gettext_lazy("took a copy of what this site knows"),
    "calendar.renewed": gettext_lazy("made a new calendar address"),
}
