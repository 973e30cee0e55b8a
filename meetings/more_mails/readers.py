"""Who is about to get a batch of mails, and whether they still want it, at this hour."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.utils import timezone
from django.utils.translation import gettext_noop

from members.models import Consent, ReminderSettings
from outbox.kinds import Later, Unwanted
from outbox.models import Email

from ..sending_hours import not_now


class Readers:
    """What the recipients of a batch wish, fetched in a few queries whatever its size."""

    def __init__(self, emails: Sequence[Email]):
        ids = {email.recipient_id for email in emails}
        self.wishes = ReminderSettings.objects.in_bulk(ids)
        self._consents = set(Consent.objects.standing().filter(member__in=ids).values_list("kind", "member"))
        self._confirmed = set(EmailAddress.objects.filter(user__in=ids, verified=True).values_list("user", "email"))

    def wish(self, email: Email) -> ReminderSettings:
        return self.wishes.get(email.recipient_id) or ReminderSettings()

    def without_address(self, email: Email) -> Unwanted | None:
        """Why no mail at all can reach its recipient; None if it can."""
        if not email.recipient.is_active:
            return Unwanted(gettext_noop("the account is closed"))
        if (email.recipient_id, email.recipient.email) not in self._confirmed:
            return Unwanted(gettext_noop("the address is not confirmed"))
        return None

    def refusal(self, email: Email, zone: ZoneInfo, *, consent: Consent.Kind | None = None) -> Unwanted | Later | None:
        """Why this mail must not reach its recipient, at all or at this hour; None if it may."""
        if consent and (consent, email.recipient_id) not in self._consents:
            return Unwanted(gettext_noop("they do not want it any more"))
        return self.without_address(email) or not_now(self.wish(email), timezone.now().astimezone(zone))
