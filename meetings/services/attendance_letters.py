"""Attendance letters: issued to the member who asks, and to nobody else without their word (OPS-13, PRV-03)."""

import hashlib
import secrets
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, When
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from audit.services import record
from groups.models import Facilitator, Group
from members.models import Member

from .. import wording
from ..letter_models import AttendanceLetter, Disclosure, DisclosureConsent, LetterDate, new_code
from ..models import Participation

NO_LETTER = UUID(int=0)  # stands in the record for a number that no letter has


@transaction.atomic
def issue_letter(group: Group, *, by: Member, first: date, last: date) -> AttendanceLetter | None:
    """Give a member a letter about the meetings of a group they came to between two dates, both included.

    None if they came to none, if the group gives no letters, or if nobody runs it who could stand for it.
    """
    came = (
        Participation.objects.attended()
        .filter(member=by, meeting__group=group, meeting__local_date__range=(first, last))
        .filter(meeting__starts_at__lt=timezone.now(), meeting__group__gives_attendance_letters=True)
        .select_related("meeting__log")
        .order_by("meeting__starts_at")
    )
    rows = list(came)
    stands_for_it = _stands_for(group)
    if not rows or stands_for_it is None:
        return None
    letter = AttendanceLetter.objects.create(
        member=by,
        group=group,
        name=by.display_name,
        group_label=group.letter_label or _("Community meetings"),
        facilitator=stands_for_it.member.display_name,
        credential=stands_for_it.credential,
    )
    LetterDate.objects.bulk_create(
        LetterDate(
            letter=letter,
            meeting=row.meeting,
            on=row.meeting.local_date,
            minutes=_minutes(row),
            attendance=row.attendance,
        )
        for row in rows
    )
    record("letter.issued", letter, by=by, member=str(by.pk), dates=len(rows))
    return letter


@transaction.atomic
def revoke_letter(letter: AttendanceLetter, *, by: Member) -> bool:
    """Take a letter back: it is not genuine any more. False if it was taken back already."""
    standing = AttendanceLetter.objects.standing().filter(pk=letter.pk)
    if not standing.update(revoked_at=timezone.now(), revoked_by=by):
        return False
    record("letter.revoked", letter, by=by, member=str(letter.member_id))
    return True


def verify_letter(number: str, code: str) -> AttendanceLetter | None:
    """The letter that has this number and this code and was not taken back; every try is on the record.

    What is wrong nobody learns: an unknown number takes the same steps as a wrong code.
    """
    letter = AttendanceLetter.objects.standing().filter(number=number).first()
    is_genuine = secrets.compare_digest((letter.code if letter else new_code()).encode(), code.encode())
    if letter and is_genuine:
        record("letter.verified", letter, by=None, member=str(letter.member_id))
        return letter
    record("letter.not_verified", letter or AttendanceLetter(pk=NO_LETTER), by=None)
    return None


@transaction.atomic
def allow_disclosure(
    letter: AttendanceLetter, *, by: Member, recipient: str, purpose: str, expires_at: datetime
) -> DisclosureConsent:
    """Let the centre give one letter to one recipient until a moment, in words that are kept (42 CFR 2.31)."""
    text = disclosure_words(letter, recipient=recipient, purpose=purpose, expires_at=expires_at)
    consent = DisclosureConsent.objects.create(
        member=by,
        letter=letter,
        recipient=recipient,
        purpose=purpose,
        expires_at=expires_at,
        text=text,
        text_hash=hashlib.sha256(text.encode()).hexdigest(),
        language=translation.get_language() or by.language,
    )
    record("disclosure.allowed", consent, by=by, member=str(by.pk))
    return consent


@transaction.atomic
def withdraw_disclosure(consent: DisclosureConsent, *, by: Member) -> bool:
    """Let nothing more go there. False if it was withdrawn already."""
    standing = DisclosureConsent.objects.filter(pk=consent.pk, withdrawn_at=None)
    if not standing.update(withdrawn_at=timezone.now()):
        return False
    record("disclosure.withdrawn", consent, by=by, member=str(consent.member_id))
    return True


@transaction.atomic
def disclose_letter(letter: AttendanceLetter, consent_id: UUID, *, by: Member) -> Disclosure | None:
    """Make a letter ready for the recipient of a consent, and note it. None without one that stands for this letter."""
    standing = DisclosureConsent.objects.standing().filter(pk=consent_id, letter=letter)
    consent = standing.select_for_update(of=("self",)).first()
    if consent is None:
        record("disclosure.refused", letter, by=by, member=str(letter.member_id))
        return None
    disclosure = Disclosure.objects.create(consent=consent, made_by=by)
    record("disclosure.made", disclosure, by=by, member=str(letter.member_id), consent=str(consent.pk))
    return disclosure


def disclosure_words(letter: AttendanceLetter, *, recipient: str, purpose: str, expires_at: datetime) -> str:
    """What a member agrees to, whole."""
    return _(
        "You may give letter %(number)s to %(recipient)s, and nothing else about me. It is for: %(purpose)s. "
        "This holds until the end of %(day)s. I can take it back at any time; what was given by then cannot be undone."
    ) % {
        "number": letter.number,
        "recipient": recipient,
        "purpose": purpose,
        "day": wording.full_day(expires_at.astimezone(letter.group.zone).date()),
    }


def _stands_for(group: Group) -> Facilitator | None:
    """Whose name stands under a letter: the lead's, else that of another who runs the group."""
    lead_first = Case(When(role=Facilitator.Role.LEAD, then=0), When(role=Facilitator.Role.CO, then=1), default=2)
    return Facilitator.objects.filter(group=group).select_related("member").order_by(lead_first, "pk").first()


def _minutes(row: Participation) -> int:
    """As signed in the log, else as planned."""
    log = getattr(row.meeting, "log", None)
    return log.minutes if log and log.is_signed else row.meeting.minutes
