"""What coordinators do with the words of mails. Rows stand in the outbox, which knows neither roles nor the record."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.services import record
from members.models import Member
from outbox.models import Wording, WordingPeriod
from outbox.wordings import EditableLetter, Words


def write_words(letter: EditableLetter, language: str, words: Words, *, after: int, by: Member) -> Wording | None:
    """Keep words under the next number; nobody gets them yet. None if somebody has written since number `after`."""
    if Wording.objects.of(letter.name, language).last_number() != after:
        return None
    try:
        with transaction.atomic():
            subject, opening, closing = words
            wording = Wording.objects.create(
                letter=letter.name,
                language=language,
                number=after + 1,
                subject=subject,
                opening=opening,
                closing=closing,
                written_by=by,
            )
            record("wording.written", wording, by=by, number=wording.number)
            return wording
    except IntegrityError:  # the number was taken while we looked
        return None


def use_words(
    letter: EditableLetter, language: str, wording: Wording | None, *, instead_of: int | None, by: Member
) -> bool:
    """From now on everybody gets these words; None: those the letter comes with. A test that runs ends with it.

    `instead_of` is the period that was open when this was decided. False, and nothing happens, if another is now.
    """
    if wording is None and instead_of is None:
        return False
    return _change(letter, language, seen=instead_of, by=by, a=wording)


def try_words(
    letter: EditableLetter, language: str, wording: Wording | None, *, beside: int | None, by: Member
) -> bool:
    """From now on half of the people get these words, the other half what is in use (as A).

    `beside` is the period that was open when this was decided. False if another is now, it is a test itself, or it
    has the same words.
    """
    now = WordingPeriod.objects.filter(pk=beside).with_words().first() if beside is not None else None
    if now and now.is_test:
        return False
    used = now.a if now else None
    if used == wording:
        return False
    return _change(letter, language, seen=beside, by=by, a=used, b=wording, is_test=True)


def _change(letter: EditableLetter, language: str, *, seen: int | None, by: Member, **words) -> bool:
    """End the period somebody saw and begin the next. False if it had ended, or another had begun, meanwhile."""
    if any(wording and (wording.letter, wording.language) != (letter.name, language) for wording in _wordings(words)):
        raise ValueError("words of another letter or language")
    periods = WordingPeriod.objects.of(letter.name, language).open()
    try:
        with transaction.atomic():
            if seen is None:
                ended = not periods.exists()
            else:
                ended = bool(periods.filter(pk=seen).update(ended_at=timezone.now(), ended_by=by))
            if not ended:
                return False
            if not any(_wordings(words)):
                record("wording.put_back", WordingPeriod(pk=seen), by=by)
                return True
            period = WordingPeriod.objects.create(letter=letter.name, language=language, began_by=by, **words)
            record("wording.tried" if period.is_test else "wording.used", period, by=by, **_numbers(words))
            return True
    except IntegrityError:  # somebody else was quicker: one period is open at a time
        return False


def _wordings(words: dict) -> list[Wording | None]:
    return [words.get("a"), words.get("b")]


def _numbers(words: dict) -> dict[str, int]:
    return {name: Wording.number_of(words[name]) for name in ("a", "b") if name in words}
