"""The page where anybody asks the centre."""

import io
import logging
import re

import pytest
from django.test import Client
from django.urls import reverse

from centre import services
from centre.forms import new_stamp
from centre.models import Question

CONTACT = "/contact/"


def test_page_says_how_to_reach_the_centre_and_where_help_is_now(client, db, settings):
    settings.CENTRE_NAME, settings.CENTRE_HOURS = "Riverside House", "Weekdays 9 to 5"
    settings.CENTRE_PHONE = "(555) 010-0199"

    html = client.get(CONTACT).content.decode()

    assert "Riverside House" in html
    assert "Weekdays 9 to 5" in html
    assert 'href="tel:5550100199"' in html
    assert html.index("Do you need help right now?") < html.index('<form method="post" action="/contact/"')
    assert "Riverside House" not in re.search(r"<title>.*</title>", html).group()


def test_question_is_kept_as_it_was_asked_and_thanked_for(client, cast, form):
    response = client.post(CONTACT, form | {"group": "willow"})

    question = Question.objects.get()
    assert (response.status_code, response.url) == (302, reverse("centre:sent"))
    assert (question.message, question.name, question.reach) == (form["message"], "Kim", "kim@example.org")
    assert (question.good_time, question.may_leave_message, question.group) == ("after five", True, cast.willow)
    assert client.get(response.url).status_code == 200


def test_question_alone_is_enough(client, db, stamp):
    client.post(CONTACT, {"message": "When do you open?", "stamp": stamp()})

    question = Question.objects.get()
    assert (question.name, question.reach, question.may_leave_message) == ("", "", False)


def test_no_cookie_is_needed(db, form):
    client = Client(enforce_csrf_checks=True)

    assert client.post(CONTACT, form).status_code == 302
    assert Question.objects.count() == 1


def test_question_of_a_member_is_linked_to_nobody(cast, sign_in, form):
    sign_in(cast.mia).post(CONTACT, form)

    values = {str(value) for value in Question.objects.values().get().values()}
    assert values.isdisjoint({str(cast.mia.pk), cast.mia.email, cast.mia.code, cast.mia.display_name})


@pytest.mark.parametrize("slug", ["cedar", "nothing", "\0", "x" * 300])
def test_group_that_is_not_listed_is_not_named(cast, client, form, slug):
    page = client.get(CONTACT, {"group": slug}).content.decode()
    client.post(CONTACT, form | {"group": slug})

    assert "Cedar morning" not in page
    assert Question.objects.get().group is None


def test_sent_twice_is_one_question(client, db, form):
    answers = [client.post(CONTACT, form).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert Question.objects.count() == 1


def test_same_words_within_a_day_are_one_question(client, db, form, stamp):
    client.post(CONTACT, form)
    again = client.post(CONTACT, form | {"stamp": stamp()})

    assert again.status_code == 302
    assert Question.objects.count() == 1


def test_same_words_are_asked_anew_once_answered(client, cast, form, stamp):
    client.post(CONTACT, form)
    services.mark_answered(Question.objects.get(), by=cast.olga)
    client.post(CONTACT, form | {"stamp": stamp()})

    assert Question.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("message", " "), ("message", "x" * 2001), ("reach", "kim@"), ("reach", "call me"), ("name", "x" * 61)],
)
def test_mistake_is_said_and_every_word_is_kept(client, db, form, field, value):
    response = client.post(CONTACT, form | {field: value})

    html = response.content.decode()
    assert response.status_code == 400
    assert response.context["form"].errors.keys() == {field}
    assert f'<a href="#id_{field}">' in html
    assert "after five" in html
    assert Question.objects.count() == 0


@pytest.mark.parametrize("reach", ["555 010 0199", "+1 (555) 010-0199", "kim@example.org", ""])
def test_phone_or_mail_or_nothing_is_fine(client, db, form, reach):
    client.post(CONTACT, form | {"reach": reach})

    question = Question.objects.get()
    assert (question.reach, question.may_leave_message) == (reach, bool(reach))


ROBOTS = {"quick": {"seconds": 0}, "in the trap": {"website": "http://spam.example"}, "no stamp": {"stamp": "made up"}}


@pytest.mark.parametrize("sign", ROBOTS.values(), ids=ROBOTS)
def test_what_looks_like_a_robot_is_not_kept_and_a_person_sends_once_more(client, db, form, stamp, sign):
    sent = form | {"stamp": stamp(sign["seconds"])} if "seconds" in sign else form | sign

    page = client.post(CONTACT, sent)
    kept = Question.objects.count()
    shown = page.context["form"]
    again = {name: shown[name].value() or "" for name in form}

    assert (page.status_code, kept) == (400, 0)
    assert "press “Send” once more" in page.content.decode()
    assert (again["message"], again["website"]) == (form["message"], "")
    if sign.get("website"):
        assert client.post(CONTACT, again).status_code == 302


def test_form_that_was_open_for_a_week_is_welcome(client, db, form, stamp):
    assert client.post(CONTACT, form | {"stamp": stamp(7 * 86_400)}).status_code == 302


def test_each_form_has_a_stamp_of_its_own(client, db):
    assert client.get(CONTACT).context["form"]["stamp"].value() != client.get(CONTACT).context["form"]["stamp"].value()
    assert new_stamp() != new_stamp()


def test_too_many_from_one_address_are_told_calmly_and_keep_their_words(client, db, form, stamp, settings):
    settings.CENTRE_PHONE = "555-0199"

    answers = [client.post(CONTACT, form | {"message": f"Question {n}", "stamp": stamp()}) for n in range(11)]
    other = client.post(CONTACT, form | {"stamp": stamp()}, REMOTE_ADDR="192.0.2.7")

    assert [answer.status_code for answer in answers] == [302] * 10 + [429]
    assert "Question 10" in answers[-1].content.decode()
    assert "tel:5550199" in answers[-1].content.decode()
    assert other.status_code == 302
    assert Question.objects.count() == 11


def test_mistakes_are_not_counted(client, db, form):
    for _ in range(12):
        client.post(CONTACT, form | {"message": ""})

    assert client.post(CONTACT, form).status_code == 302


@pytest.mark.parametrize(("proxies", "refused"), [(0, 429), (1, 302)])
def test_address_is_that_before_our_own_proxies(client, db, form, stamp, settings, proxies, refused):
    """Without a proxy of ours the header is the sender's own invention, and changing it helps nobody."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies

    answers = [
        client.post(CONTACT, form | {"message": f"Question {n}", "stamp": stamp()}, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}")
        for n in range(11)
    ]

    assert answers[-1].status_code == refused


def test_page_is_kept_by_no_cache(client, db):
    assert "no-store" in client.get(CONTACT).headers["Cache-Control"]


def test_what_was_asked_is_in_no_log(client, cast, form, stamp):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        client.post(CONTACT, form)
        client.post(CONTACT, form | {"stamp": stamp(0)})
        question = Question.objects.get()
        services.take_question(question, by=cast.olga)
        services.mark_answered(question, by=cast.olga)
        cast.olga.delete()
        client.post(CONTACT, form | {"stamp": stamp(), "message": "A step at the back?"})  # nobody is there to be told
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)

    assert "no coordinator to tell" in written.getvalue()
    assert not re.search("step at|kim@|Kim|after five", written.getvalue())
