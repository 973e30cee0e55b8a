"""The kinds of mail this site sends. Each app registers its own when it is ready; the outbox knows no app."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings

from .models import Email
from .wordings import EditableLetter


@dataclass(frozen=True)
class Letter:
    """What one person is to read. The subject is seen on lock screens: it names no group and no reason.

    Where coordinators chose the words, `period_id` and `variant` say which (`WordingPeriod`). Where many get nearly the
    same, `text` and `html` are what they share, and `personal` is what each name in them gives way to for this one
    person: such letters leave much faster.
    """

    subject: str
    text: str
    html: str
    period_id: int | None = None
    variant: str = ""
    personal: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)

    def filled_in(self, personal: Mapping[str, str]) -> "Letter":
        """This letter for one person. Plain printable text only. It is put in when the mail is written."""
        return Letter(self.subject, self.text, self.html, self.period_id, self.variant, personal)

    @property
    def as_read(self) -> "Letter":
        """The letter as this one person reads it."""
        text, html = self.text, self.html
        for name, value in self.personal.items():
            text, html = text.replace(name, value), html.replace(name, value)
        return replace(self, text=text, html=html, personal={})

    @property
    def first_line(self) -> str:
        """What a locked phone shows under the subject."""
        return self.text.strip().split("\n")[0]


@dataclass(frozen=True)
class Unwanted:
    """The mail must not go out after all, and why."""

    reason: str


@dataclass(frozen=True)
class Later:
    """The mail must not go out at this hour: it is asked about again at `at`."""

    at: datetime


@dataclass(frozen=True)
class Kind:
    """A kind of mail.

    `prepare` is asked at the moment of sending, for a batch at once: it looks at the facts again and returns, by
    e-mail id, a Letter, Later or Unwanted. `unsubscribe` is given for mail a person can switch off, and takes their id;
    `unsubscribe_there`, for mail they can also switch off in one place only, takes the id of what it was about as well.
    `letters` are those of its letters whose words coordinators may change; a kind without any says why not.
    """

    name: str
    prepare: Callable[[Sequence[Email]], Mapping[UUID, Letter | Later | Unwanted]]
    unsubscribe: Callable[[UUID], None] | None = None
    unsubscribe_there: Callable[[UUID, UUID], None] | None = None
    letters: Sequence[EditableLetter] = ()
    why_not_editable: str = ""


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def get(name: str) -> Kind:
    return _kinds[name]


def names() -> list[str]:
    return sorted(_kinds)


def letters_of(name: str) -> Sequence[EditableLetter]:
    """The letters of a kind; none for a kind we do not know any more."""
    return _kinds[name].letters if name in _kinds else ()


def editable_letters() -> dict[str, EditableLetter]:
    """Every letter whose words can be changed, by its name."""
    return {letter.name: letter for kind in _kinds.values() for letter in kind.letters}


def is_sent_here(name: str) -> bool:
    """Whether whoever runs the site wants this kind sent."""
    return name not in settings.MAILS_OFF
