import hashlib
from uuid import UUID

from allauth.usersessions.models import UserSession
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
