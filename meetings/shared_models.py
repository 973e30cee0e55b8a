"""What members chose to share with those who run their meetings. It is sealed, and theirs to take back."""

import logging

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from groups.models import Facilitator, Group, Membership
from members.models import Consent, Member

from . import sealed
from .note_models import SealedText

logger = logging.getLogger(__name__)


class SharedQuerySet(models.QuerySet):
    def numbers_of(self, members):
        return self.filter(kind=Shared.Kind.PHONE, member__in=members)

    def needs_in(self, group: Group):
        """What the people of a group need to take part: of those who are in it now."""
        people = Membership.objects.active().filter(group=group).values("member")
        return self.filter(kind=Shared.Kind.NEEDS, member__in=people, member__is_active=True)

    def for_facilitator_of(self, group: Group, staff: Member):
        """If they run the group themselves: for nobody else, coordinators included."""
        if not staff.is_counselor:
            return self.none()
        return self.filter(models.Exists(Facilitator.objects.filter(group=group, member=staff)))


class Shared(SealedText):
    """A number to call, or what somebody needs to take part. The row stands as long as the consent does."""

    class Kind(models.TextChoices):
        PHONE = "phone", _("a number to call about meetings")
        NEEDS = "needs", _("what you need to take part")

    CONSENTS = {Kind.PHONE: Consent.Kind.CALLS, Kind.NEEDS: Consent.Kind.ACCESS_NEEDS}

    member = models.ForeignKey(Member, models.CASCADE, related_name="shared")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    shared_at = models.DateTimeField(default=timezone.now)

    objects = SharedQuerySet.as_manager()

    class Meta:
        ordering = ["kind"]
        constraints = [models.UniqueConstraint(name="shared_once_per_kind", fields=["member", "kind"])]

    @property
    def readable(self) -> str:
        """What it says; a sentence instead if no key here opens it."""
        try:
            return self.text
        except sealed.BrokenSeal:
            logger.error("cannot open %s %s", self._meta.label, self.pk)
            return str(_("This cannot be opened at the moment."))
