"""What becomes of a question: who is told, who takes it, when it is erased."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from centre import services, tasks
from centre.models import Question
from members.models import Member
from outbox import kinds
from outbox.kinds import Unwanted
from outbox.models import Email
from tests import make


def ask(message="Is there a step at the door?", *, token="one", **said) -> Question:
    said = {"name": "Kim", "reach": "kim@example.org", "good_time": "", "may_leave_message": True, "group": None} | said
    services.ask_centre(token=token, message=message, **said)
    return Question.objects.get(token=token)


def letters() -> list:
    emails = list(Email.objects.filter(kind="question").select_related("recipient"))
    return list(kinds.get("question").prepare(emails).values())


def test_each_coordinator_is_told_once_and_nobody_else(cast):
    omar = make.member("Omar", role=Member.Role.COORDINATOR)
    make.member("Gone", role=Member.Role.COORDINATOR, is_active=False)

    ask()
    ask()

    told = Email.objects.filter(kind="question").values_list("recipient", flat=True)
    assert sorted(told) == sorted([cast.olga.pk, omar.pk])


def test_mail_says_nothing_of_the_question(cast):
    ask("My name is Kim and I drink")

    [letter] = letters()

    words = f"{letter.subject} {letter.text} {letter.html}"
    assert letter.subject.strip() == "Something is waiting for you"
    assert "/admin/centre/question/" in letter.text
    assert not re.search("Kim|drink|recovery|group|kim@", words)


def test_while_one_waits_no_second_mail_is_sent(cast):
    first = ask("One?", token="one")
    ask("Two?", token="two")
    assert Email.objects.count() == 1

    services.take_question(first, by=cast.olga)
    services.take_question(Question.objects.get(token="two"), by=cast.olga)
    ask("Three?", token="three")

    assert Email.objects.count() == 2


def test_one_that_nobody_took_in_a_day_keeps_no_other_from_being_told(cast):
    first = ask("One?", token="one")
    Question.objects.filter(pk=first.pk).update(asked_at=timezone.now() - timedelta(days=1, minutes=1))

    ask("Two?", token="two")

    assert Email.objects.count() == 2


def test_mail_that_has_become_needless_is_not_sent(cast):
    question = ask()
    services.take_question(question, by=cast.olga)

    assert letters() == [Unwanted("somebody has taken it")]


def test_mail_goes_to_no_former_coordinator(cast):
    ask()
    Member.objects.filter(pk=cast.olga.pk).update(role=Member.Role.MEMBER)

    assert letters() == [Unwanted("no longer a coordinator")]


def test_question_goes_from_open_to_taken_to_answered_and_back(cast):
    question = ask()
    omar = make.member("Omar", role=Member.Role.COORDINATOR)

    done = [
        services.take_question(question, by=cast.olga),
        services.take_question(question, by=omar),
        services.mark_answered(question, by=omar),
        services.mark_answered(question, by=cast.olga),
        services.take_question(question, by=cast.olga),
    ]
    question.refresh_from_db()
    first_taker = question.taken_by
    done += [services.reopen_question(question, by=omar), services.reopen_question(question, by=omar)]
    question.refresh_from_db()

    assert done == [True, False, True, False, False, True, False]
    assert first_taker == cast.olga
    assert (question.taken_by, question.taken_at, question.answered_at) == (None, None, None)
    events = AuditEvent.objects.filter(object_id=str(question.pk)).order_by("id")
    assert list(events.values_list("action", "actor_id", "details")) == [
        ("question.taken", cast.olga.pk, {}),
        ("question.answered", omar.pk, {}),
        ("question.opened", omar.pk, {}),
    ]


def test_answering_what_nobody_took_takes_it(cast):
    question = ask()

    services.mark_answered(question, by=cast.olga)

    question.refresh_from_db()
    assert (question.taken_by, question.taken_at) == (cast.olga, question.answered_at)


def test_two_who_take_at_once_are_one(transactional_db):
    people = [make.member(name, role=Member.Role.COORDINATOR) for name in ("Olga", "Omar", "Ola", "Otto")]
    question = ask()
    together = threading.Barrier(len(people))

    def take(by):
        together.wait()
        try:
            return services.take_question(question, by=by)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        taken = list(pool.map(take, people))

    assert sorted(taken) == [False, False, False, True]


def test_old_questions_are_erased_and_only_their_ids_stay(cast):
    now = timezone.now()
    ages = {
        "answered long ago": {"asked_at": now - timedelta(days=60), "answered_at": now - timedelta(days=30, minutes=1)},
        "answered lately": {"asked_at": now - timedelta(days=60), "answered_at": now - timedelta(days=29)},
        "asked long ago": {"asked_at": now - timedelta(days=90, minutes=1)},
        "asked lately": {"asked_at": now - timedelta(days=89)},
    }
    for words, times in ages.items():
        question = ask(words, token=words)
        if "answered_at" in times:
            services.mark_answered(question, by=cast.olga)
        Question.objects.filter(pk=question.pk).update(**times)
    erased = {str(question.pk) for question in Question.objects.filter(message__endswith="long ago")}

    tasks.erase_old_questions()
    tasks.erase_old_questions()

    assert sorted(Question.objects.values_list("message", flat=True)) == ["answered lately", "asked lately"]
    kept = AuditEvent.objects.filter(action="question.erased")
    assert {event.object_id for event in kept} == erased
    assert kept.count() == 2
    assert set(kept.values_list("actor_id", "object_type")) == {(None, "centre.question")}


def test_how_long_they_are_kept_is_a_setting(cast, settings):
    settings.QUESTIONS_KEPT_DAYS = 7
    question = ask()
    Question.objects.filter(pk=question.pk).update(asked_at=timezone.now() - timedelta(days=8))

    assert services.erase_old_questions() == 1


def test_question_outlives_the_group_and_the_person_it_names(cast):
    question = ask(group=cast.cedar)
    services.take_question(question, by=cast.olga)

    cast.olga.delete()

    question.refresh_from_db()
    assert question.taken_by is None


def test_question_in_text_says_nothing(cast):
    assert re.fullmatch(r"Q-[0-9A-F]{8}", str(ask()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": ""},
        {"reach": "", "may_leave_message": True},
        {"answered_at": "2026-01-01T00:00Z"},
    ],
    ids=str,
)
def test_database_refuses_what_cannot_be(db, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.create(**{"token": "x", "message": "Why?"} | wrong)
