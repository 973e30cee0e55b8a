"""What members share with those who run their meetings, and looking at it."""

from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.services import record, record_each
from groups.models import Group
from members.models import Member
from members.services import give_consent, withdraw_consent

from .. import sealed
from ..message_models import GroupMessage
from ..models import Meeting
from ..shared_models import Shared
from .messages import people_of


@transaction.atomic
def share(kind: Shared.Kind, text: str, *, by: Member) -> bool:
    """Share a number or a note, with the consent to the words beside it. False on a site without keys."""
    if not sealed.can_seal():
        return False
    give_consent(by, Shared.CONSENTS[kind])
    Member.objects.select_for_update(no_key=True).get(pk=by.pk)  # two tabs of one person: one after the other
    mine = Shared.objects.filter(member=by, kind=kind).first() or Shared(member=by, kind=kind)
    mine.seal(text)
    mine.shared_at = timezone.now()
    mine.save()
    record("shared.kept", by, by=by, kind=str(kind))
    return True


@transaction.atomic
def stop_sharing(kind: Shared.Kind, *, by: Member) -> bool:
    """Take it back: it is erased, and the consent withdrawn. False if nothing was shared."""
    withdraw_consent(by.pk, Shared.CONSENTS[kind])
    erased, _of_each = Shared.objects.filter(member=by, kind=kind).delete()
    if not erased:
        return False
    record("shared.withdrawn", by, by=by, kind=str(kind))
    return True


class ToCall(NamedTuple):
    name: str
    code: str
    number: str  # empty: they shared none


def open_call_list(group: Group, *, by: Member, meeting: Meeting | None = None) -> list[ToCall]:
    """Those whom no e-mail reaches, of a meeting or a group, by name. That each was looked at is on the record."""
    people = people_of(group, meeting=meeting, audience=GroupMessage.Audience.COMING)
    found = list(people.knowing_whether_mail_works().filter(mail_works=False).order_by("display_name", "code"))
    numbers: dict[UUID, str] = {one.member_id: one.readable for one in Shared.objects.numbers_of(found)}
    record_each("call_list.opened", meeting or group, by=by, members=[one.pk for one in found])
    return [ToCall(one.display_name, one.code, numbers.get(one.pk, "")) for one in found]


def needs_in_group(group: Group, members: list[UUID], *, read_by: Member) -> list[Shared]:
    """What these people of a group said that they need to take part, by name; nothing for who does not run it."""
    needs = Shared.objects.needs_in(group).filter(member__in=members).for_facilitator_of(group, read_by)
    return list(needs.select_related("member").order_by("member__display_name", "pk"))
