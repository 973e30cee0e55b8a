import hashlib
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation

from audit.services import record

from .models import Consent, Member


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
