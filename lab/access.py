"""The only way from a request to the words of mails: for coordinators. Everybody else gets 403."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from members.models import Member
from outbox import kinds
from outbox.models import OWN, Wording
from outbox.wordings import EditableLetter


def get_coordinator(request: HttpRequest) -> Member:
    member: Member = request.user  # type: ignore[assignment]  # nobody unknown gets here
    if not member.is_coordinator:
        raise PermissionDenied
    return member


def get_letter(request: HttpRequest, name: str, language: str) -> EditableLetter:
    """A letter and one of our languages; 404 for any other."""
    get_coordinator(request)
    letter = kinds.editable_letters().get(name)
    if letter is None or language not in dict(settings.LANGUAGES):
        raise Http404
    return letter


def get_wording(request: HttpRequest, name: str, language: str, number: int) -> Wording | None:
    """The words of that number; None for those the letter comes with (number 0)."""
    letter = get_letter(request, name, language)
    if number == OWN:
        return None
    wording = Wording.objects.of(letter.name, language).filter(number=number).first()
    if wording is None:
        raise Http404
    return wording
