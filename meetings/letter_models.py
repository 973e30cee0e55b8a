"""Attendance letters: what was issued to a member, and to whom else it may go (OPS-13, PRV-03)."""

import secrets
import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from members.models import CODE_LETTERS, Member

from .models import Meeting, Participation


def new_number() -> str:
    """Nobody can guess the next one, or how many there are."""
    return "-".join(_letters(4) for _ in range(2))


def new_code() -> str:
    return _letters(8)


def _letters(count: int) -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(count))


class AttendanceLetterQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(revoked_at=None)

    def revoked(self):
        return self.filter(revoked_at__isnull=False)

    def visible_to(self, staff: Member):
        """Those of the groups somebody works with. Who asked for a letter is not for the operator."""
        if staff.is_superuser:
            return self.none()
        return self.filter(group__in=Group.objects.visible_to(staff))


class AttendanceLetter(models.Model):
    """What a member was given, in the words of that day. The database refuses every change but that it is revoked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("number"), max_length=12, unique=True, default=new_number, editable=False)
    code = models.CharField(_("code"), max_length=8, default=new_code, editable=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="letters", verbose_name=_("member"))
    group = models.ForeignKey(Group, models.PROTECT, related_name="letters", verbose_name=_("group"))
    name = models.CharField(_("chosen name"), max_length=40)
    group_label = models.CharField(_("what it calls the meetings"), max_length=60)
    facilitator = models.CharField(_("facilitator"), max_length=40)
    credential = models.CharField(_("credential"), max_length=80, blank=True)
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("revoked by")
    )

    objects = AttendanceLetterQuerySet.as_manager()

    class Meta:
        verbose_name = _("attendance letter")
        verbose_name_plural = _("attendance letters")
        ordering = ["-issued_at"]
        constraints = [
            models.CheckConstraint(
                name="letter_is_revoked_by_somebody",
                condition=Q(revoked_at=None, revoked_by=None) | Q(revoked_at__isnull=False, revoked_by__isnull=False),
            ),
        ]

    def __str__(self):
        return self.number

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def issued_on(self) -> date:
        return self.issued_at.astimezone(self.group.zone).date()


class LetterDate(models.Model):
    """One meeting of a letter. A trigger compares it with the attendance: there is no letter for an absence."""

    CAME = [(name, name.label) for name in Participation.CAME]

    letter = models.ForeignKey(AttendanceLetter, models.CASCADE, related_name="dates")
    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="+")
    on = models.DateField(_("date"))
    minutes = models.PositiveSmallIntegerField(_("minutes"))
    attendance = models.CharField(max_length=10, choices=CAME)

    class Meta:
        ordering = ["on", "pk"]
        constraints = [models.UniqueConstraint(name="letter_names_a_meeting_once", fields=["letter", "meeting"])]

    def __str__(self):
        return f"{self.on}"

    @property
    def there(self) -> str:
        """How much of it: `whole meeting`, `came late`."""
        if self.attendance == Participation.Attendance.PRESENT:
            return gettext("whole meeting")
        return self.get_attendance_display()


class DisclosureConsentQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(withdrawn_at=None, expires_at__gt=timezone.now(), letter__revoked_at=None)


class DisclosureConsent(models.Model):
    """That a member lets one letter go to one recipient, for what, until when. Only the withdrawal is added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="disclosure_consents")
    letter = models.ForeignKey(AttendanceLetter, models.CASCADE, related_name="consents")
    recipient = models.CharField(_("to whom"), max_length=120)
    purpose = models.CharField(_("what for"), max_length=120)
    expires_at = models.DateTimeField(_("until"))
    text = models.TextField(help_text="the exact words that were shown")
    text_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES)
    given_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = DisclosureConsentQuerySet.as_manager()

    def __str__(self):
        return str(self.pk)

    @property
    def is_standing(self) -> bool:
        return self.withdrawn_at is None and self.expires_at > timezone.now()


class Disclosure(models.Model):
    """That a letter was made ready for a third party: who did, when, under which consent. A trigger asks for one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(DisclosureConsent, models.CASCADE, related_name="disclosures")
    made_by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return str(self.pk)
