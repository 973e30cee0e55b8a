"""Writing words, putting them to use, trying them: guarded, recorded, and nobody's words lost."""

import threading

import pytest
from django.db import connection

from audit.models import AuditEvent
from lab import services
from outbox import kinds
from outbox.models import Wording, WordingPeriod
from outbox.wordings import Words

WORDS = Words("Soon: {when_short}", "New words on {when}.")


@pytest.fixture
def letter():
    return kinds.editable_letters()["moved"]


@pytest.fixture
def olga(cast):
    return cast.olga


def open_period() -> WordingPeriod | None:
    return WordingPeriod.objects.open().with_words().first()


def done() -> list:
    return list(
        AuditEvent.objects.filter(action__startswith="wording.").order_by("pk").values_list("action", "details")
    )


def test_words_written_are_kept_under_the_next_number_and_used_by_nobody(letter, olga):
    first = services.write_words(letter, "en", WORDS, after=0, by=olga)
    second = services.write_words(letter, "en", Words("x", "y", "z"), after=1, by=olga)

    assert [(first.number, first.words), (second.number, second.words)] == [(1, WORDS), (2, Words("x", "y", "z"))]
    assert second.written_by == olga
    assert open_period() is None
    assert done() == [("wording.written", {"number": 1}), ("wording.written", {"number": 2})]


@pytest.mark.parametrize("after", [0, 2])
def test_words_after_anything_but_the_last_are_not_taken(letter, olga, after):
    services.write_words(letter, "en", WORDS, after=0, by=olga)

    assert services.write_words(letter, "en", Words("x", "y"), after=after, by=olga) is None
    assert Wording.objects.count() == 1
    assert services.write_words(letter, "es", WORDS, after=0, by=olga).number == 1  # each language counts for itself


def test_words_in_use_give_way_to_others_and_to_the_letters_own(letter, olga):
    first = services.write_words(letter, "en", WORDS, after=0, by=olga)
    second = services.write_words(letter, "en", WORDS, after=1, by=olga)

    assert services.use_words(letter, "en", first, instead_of=None, by=olga)
    assert services.use_words(letter, "en", second, instead_of=open_period().pk, by=olga)
    assert open_period().a == second
    assert services.use_words(letter, "en", None, instead_of=open_period().pk, by=olga)

    assert open_period() is None
    assert list(WordingPeriod.objects.values_list("a__number", "began_by", "ended_by")) == [
        (2, olga.pk, olga.pk),
        (1, olga.pk, olga.pk),
    ]
    assert done()[2:] == [
        ("wording.used", {"a": 1}),
        ("wording.used", {"a": 2}),
        ("wording.put_back", {}),
    ]


def test_what_was_decided_on_an_old_page_does_not_happen(letter, olga):
    first = services.write_words(letter, "en", WORDS, after=0, by=olga)
    second = services.write_words(letter, "en", WORDS, after=1, by=olga)
    services.use_words(letter, "en", first, instead_of=None, by=olga)
    old = open_period().pk
    services.use_words(letter, "en", second, instead_of=old, by=olga)

    for seen in (None, old):
        assert not services.use_words(letter, "en", first, instead_of=seen, by=olga)
        assert not services.use_words(letter, "en", None, instead_of=seen, by=olga)
        assert not services.try_words(letter, "en", first, beside=seen, by=olga)

    assert open_period().a == second
    assert WordingPeriod.objects.count() == 2


def test_test_sets_new_words_beside_those_in_use_and_its_winner_ends_it(letter, olga):
    first = services.write_words(letter, "en", WORDS, after=0, by=olga)
    second = services.write_words(letter, "en", WORDS, after=1, by=olga)
    assert services.try_words(letter, "en", first, beside=None, by=olga)
    assert (open_period().a, open_period().b, open_period().is_test) == (None, first, True)

    assert not services.try_words(letter, "en", second, beside=open_period().pk, by=olga)  # one test at a time
    assert services.use_words(letter, "en", first, instead_of=open_period().pk, by=olga)
    assert not services.try_words(letter, "en", first, beside=open_period().pk, by=olga)  # the same beside itself
    assert services.try_words(letter, "en", None, beside=open_period().pk, by=olga)  # its own words as the new ones
    assert (open_period().a, open_period().b) == (first, None)
    assert done()[2:] == [
        ("wording.tried", {"a": 0, "b": 1}),
        ("wording.used", {"a": 1}),
        ("wording.tried", {"a": 1, "b": 0}),
    ]


def test_nothing_in_use_needs_no_putting_back(letter, olga):
    assert not services.use_words(letter, "en", None, instead_of=None, by=olga)
    assert not services.try_words(letter, "en", None, beside=None, by=olga)
    assert done() == []


def test_words_of_one_letter_are_not_used_for_another(letter, olga):
    other = services.write_words(kinds.editable_letters()["cancelled"], "en", WORDS, after=0, by=olga)

    for language in ("en", "es"):
        with pytest.raises(ValueError, match="another letter"):
            services.use_words(letter, language, other, instead_of=None, by=olga)


def at_once(*verbs) -> list:
    """What each gives, all begun at the same moment, each on its own connection."""
    gate, answers = threading.Barrier(len(verbs)), []

    def run(verb):
        gate.wait()
        try:
            answers.append(verb())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[verb]) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_of_many_who_write_at_once_one_is_taken_and_the_others_are_told(letter, cast):
    verbs = [
        lambda n=n: services.write_words(letter, "en", Words(f"Subject {n}", "y"), after=0, by=cast.olga)
        for n in range(8)
    ]

    answers = at_once(*verbs)

    assert len([answer for answer in answers if answer]) == 1
    assert Wording.objects.count() == AuditEvent.objects.filter(action="wording.written").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first_in_use", [False, True])
def test_of_many_who_decide_at_once_one_decides(letter, cast, first_in_use):
    wordings = [services.write_words(letter, "en", Words(f"Subject {n}", "y"), after=n, by=cast.olga) for n in range(8)]
    if first_in_use:
        services.use_words(letter, "en", wordings[7], instead_of=None, by=cast.olga)
    seen = open_period().pk if first_in_use else None
    verbs = [
        *(lambda n=n: services.use_words(letter, "en", wordings[n], instead_of=seen, by=cast.olga) for n in range(4)),
        *(lambda n=n: services.try_words(letter, "en", wordings[n], beside=seen, by=cast.olga) for n in range(4, 7)),
    ]

    answers = at_once(*verbs)

    assert sorted(answers) == [False] * 6 + [True]
    assert WordingPeriod.objects.open().count() == 1
    assert WordingPeriod.objects.count() == 1 + first_in_use
