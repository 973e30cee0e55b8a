"""The questions that wait, for those who answer them."""

import pytest
from django.contrib.admin.models import LogEntry

from centre import services
from centre.models import Question
from tests.admin_pages import messages_of, rows, run_action

QUEUE = "/admin/centre/question/"


@pytest.fixture
def questions(cast):
    return [
        Question.objects.create(token=f"t{n}", message=f"Planted words {n}", reach="kim@example.org", group=group)
        for n, group in enumerate([cast.willow, cast.cedar, None])
    ]


@pytest.mark.parametrize("person", ["carol", "dan", "sam", "rita", "mia"])
def test_only_coordinators_read_questions(cast, sign_in, questions, person):
    client = sign_in(getattr(cast, person))

    statuses = {client.get(url).status_code for url in (QUEUE, f"{QUEUE}{questions[0].pk}/change/")}

    assert statuses <= {302, 403}
    assert "Planted words" not in client.get("/admin/", follow=True).content.decode()


def test_list_shows_no_words_and_the_page_shows_them_all(cast, sign_in, questions):
    client = sign_in(cast.olga)

    assert "Planted words" not in client.get(QUEUE).content.decode()
    page = client.get(f"{QUEUE}{questions[0].pk}/change/")
    assert "Planted words 0" in page.content.decode()
    assert 'name="message"' not in page.content.decode()


def test_longest_waiting_comes_first_and_answered_ones_last(cast, sign_in, questions):
    services.mark_answered(questions[0], by=cast.olga)

    assert rows(sign_in(cast.olga), QUEUE) == [questions[1], questions[2], questions[0]]


def test_words_cannot_be_searched_for(cast, sign_in, questions):
    client = sign_in(cast.olga)

    assert len(rows(client, QUEUE + "?q=0")) == 3
    assert client.get(QUEUE, {"message__contains": "0"}).status_code == 400


def test_actions_move_a_question_and_say_so(cast, sign_in, questions):
    client = sign_in(cast.olga)

    run_action(client, QUEUE, "take_questions", questions[0], questions[1])
    again = run_action(client, QUEUE, "take_questions", questions[0], questions[2])
    run_action(client, QUEUE, "mark_answered", questions[0])
    run_action(client, QUEUE, "open_again", questions[1])

    assert messages_of(again) == ["1 question changed.", "1 was no longer as you saw it and is as before."]
    states = {"open": [questions[1]], "mine": [questions[2]], "taken": [questions[2]], "answered": [questions[0]]}
    assert {state: rows(client, QUEUE, state=state) for state in states} == states
    assert not LogEntry.objects.filter(object_repr__contains="Planted").exists()


@pytest.mark.parametrize("address", [QUEUE + "add/", QUEUE + "{}/delete/"])
def test_nobody_adds_or_deletes_by_hand(cast, sign_in, questions, address):
    assert sign_in(cast.olga).post(address.format(questions[0].pk), {"post": "yes"}).status_code == 403
    assert Question.objects.count() == 3


def test_list_costs_the_same_with_3_and_300(cast, sign_in, questions, django_assert_num_queries):
    client = sign_in(cast.olga)
    client.get(QUEUE)

    with django_assert_num_queries(5):
        client.get(QUEUE)
    Question.objects.bulk_create(
        Question(token=f"more{n}", message="?", group=cast.willow, taken_by=cast.olga, taken_at="2026-01-01T00:00Z")
        for n in range(297)
    )
    with django_assert_num_queries(5):
        client.get(QUEUE)


@pytest.mark.parametrize("person", ["carol", "sam", "rita", "mia"])
def test_questions_themselves_know_who_may_see_them(cast, questions, person):
    """Behind the roles of the page: what the reports or another page would ask."""
    assert not Question.objects.visible_to(getattr(cast, person)).exists()
    assert Question.objects.visible_to(cast.olga).count() == 3
