"""What comes between a mail of Mia's and its leaving: after any of these she must not get it."""

from uuid import UUID

from django.test import Client
from django.utils import timezone

from groups.models import Membership
from meetings.models import Meeting
from members.models import Consent, Member
from outbox.models import Email
from tests.outbox.test_unsubscribe import address_of


def called_off(cast):
    Meeting.objects.update(status="cancelled")


def left(cast):
    Membership.objects.filter(member=cast.mia).update(status="left")


def removed(cast):
    Membership.objects.filter(member=cast.mia).update(status="removed")


def muted(cast):
    Membership.objects.filter(member=cast.mia).update(is_muted=True)


def no_consent(cast):
    Consent.objects.filter(member=cast.mia).update(withdrawn_at=timezone.now())


def unconfirmed(cast):
    cast.mia.emailaddress_set.update(verified=False)


def closed(cast):
    Member.objects.filter(pk=cast.mia.pk).update(is_active=False)


def press_unsubscribe(cast, kind: str, about_id: UUID, **form: str) -> None:
    """What the link in a mail of this kind does: with nothing said, the one click that mail programs offer."""
    link = address_of(Email(recipient=cast.mia, kind=kind, about_id=about_id))
    assert Client().post(link, form or {"List-Unsubscribe": "One-Click"}).status_code == 200
