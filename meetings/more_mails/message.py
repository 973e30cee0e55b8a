"""What those who run a group write to its people. Its subject and first line are ours and tell nothing."""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from groups.models import Group, Membership
from groups.services import mute_group
from members.services import choose_group_messages
from outbox import kinds
from outbox.kinds import Kind, Later, Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.services import unsubscribe_url
from outbox.wordings import EditableLetter

from .. import wording
from ..message_models import MESSAGE, GroupMessage
from ..services.messages import people_of
from .examples import EVENING, link
from .readers import Readers

UNSUBSCRIBE_URL = "https://unsubscribe.invalid/"

GROUP_MESSAGE = EditableLetter(
    name="message",
    template="meetings/mail/message",
    title=_("A message from those who run a meeting"),
    readers=_("People in a group, when somebody who runs it writes to them. What they write stands below the opening."),
    example=lambda: {
        "when": wording.moment(EVENING),
        "message": _("Please come in by the door on the left this time.\n\nSee you then."),
        "unsubscribe_url": link("/u/…/"),
    },
)


def register() -> None:
    kinds.register(
        Kind(MESSAGE, _prepare, unsubscribe=_stop, unsubscribe_there=_mute_group_of, letters=(GROUP_MESSAGE,))
    )


def _stop(member_id: UUID) -> None:
    choose_group_messages(member_id, wanted=False)


def _mute_group_of(member_id: UUID, message_id: UUID) -> None:
    if group := Group.objects.filter(messages=message_id).first():
        mute_group(group, member_id=member_id)


def preview(message: GroupMessage, reader_id: UUID, language: str) -> Letter:
    """The mail as it would be for somebody, its link leading nowhere."""
    written = _write(message, reader_id, language, WordsInUse([GROUP_MESSAGE]))
    return written.filled_in({UNSUBSCRIBE_URL: link("/u/…/")}).as_read


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    readers, in_use = Readers(emails), WordsInUse([GROUP_MESSAGE])
    messages = GroupMessage.objects.select_related("group", "meeting").in_bulk({email.about_id for email in emails})
    addressed = {
        (message.pk, member)
        for message in messages.values()
        for member in people_of(message.group, meeting=message.meeting, audience=message.audience).values_list(
            "pk", flat=True
        )
    }
    muted = set(
        Membership.objects.filter(group__messages__in=messages, is_muted=True).values_list("group", "member").distinct()
    )

    def answer(email: Email, message: GroupMessage | None) -> Letter | Later | Unwanted:
        if message is None or not message.text:
            return Unwanted(gettext_noop("its text is erased"))
        if (message.pk, email.recipient_id) not in addressed:
            return Unwanted(gettext_noop("they are not among its readers any more"))
        if (message.group_id, email.recipient_id) in muted or not readers.wish(email).group_messages:
            return Unwanted(gettext_noop("they do not want it any more"))
        if refused := readers.without_address(email):
            return refused
        wall = timezone.now().astimezone(message.group.zone)
        if readers.wish(email).is_quiet_at(wall.hour):  # but by night it may be about tonight
            return Later(readers.wish(email).quiet_ends_at(wall))
        written = _write(message, email.recipient_id, email.recipient.language, in_use)
        return written.filled_in({UNSUBSCRIBE_URL: unsubscribe_url(email)})

    return {email.pk: answer(email, messages.get(email.about_id)) for email in emails}


def _write(message: GroupMessage, reader_id: UUID, language: str, in_use: WordsInUse) -> Letter:
    chosen = in_use.for_person(GROUP_MESSAGE, reader_id, language)
    with translation.override(language):
        context = {
            "when": wording.when(message.meeting) if message.meeting else "",
            "message": message.text,
            "unsubscribe_url": UNSUBSCRIBE_URL,
        }
        return letter(GROUP_MESSAGE.template, context, chosen)
