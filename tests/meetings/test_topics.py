"""What meetings are about: chosen by hand, by rule or in turn."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from groups.models import Topic, TopicRule
from groups.topic_library import LIBRARY
from meetings import services
from meetings.models import Meeting
from tests import make
from tests.admin_pages import form_of


@pytest.fixture
def weeks(cast):
    """Willow meets on Tuesdays for twelve weeks; its topics are its own."""
    Meeting.objects.filter(group=cast.willow).delete()
    cast.willow.series.all().delete()
    series = make.series(cast.willow, weekdays=[1], from_on=timezone.now().date() - timedelta(weeks=8))
    cast.anger, cast.patience, cast.steps = (
        Topic.objects.create(group=cast.willow, name=name) for name in ("Anger", "Patience", "The steps")
    )
    services.extend_series()
    return series


@pytest.fixture
def library(db):
    """As it comes with the software, also where an earlier test has emptied the tables."""
    Topic.objects.filter(group=None).delete()
    Topic.objects.bulk_create(Topic(**topic._asdict()) for topic in LIBRARY)


def held(series, *, weeks_ago, topic):
    then = timezone.now() - timedelta(weeks=weeks_ago)
    return make.meeting(series.group, starts_at=then, series=series, topic=topic, status="held")


def topics_of(group) -> list[str]:
    return [meeting.topic and meeting.topic.name for meeting in Meeting.objects.filter(group=group).in_order()]


@pytest.mark.parametrize(
    ("nth", "weekday", "on", "covers"),
    [
        (3, 1, date(2026, 12, 15), True),
        (3, 1, date(2026, 12, 8), False),
        (3, 1, date(2026, 12, 16), False),
        (3, None, date(2026, 12, 16), True),
        (1, None, date(2026, 12, 7), True),
        (1, None, date(2026, 12, 8), False),
        (5, None, date(2026, 12, 29), True),
        (-1, None, date(2026, 12, 29), True),
        (-1, None, date(2026, 12, 22), False),
        (-1, 6, date(2026, 2, 22), True),
    ],
)
def test_rule_counts_the_weekdays_of_a_month(nth, weekday, on, covers):
    assert TopicRule(nth_of_month=nth, weekday=weekday).covers(on) is covers


def test_without_rule_or_turn_topics_are_left_to_people(cast, weeks):
    assert services.plan_topics([cast.willow.pk]) == 0
    assert set(topics_of(cast.willow)) == {None}


def test_topic_by_rule_comes_on_its_dates_and_on_no_other(cast, weeks):
    TopicRule.objects.create(group=cast.willow, nth_of_month=3, weekday=1, topic=cast.steps)

    planned = services.plan_topics([cast.willow.pk])

    by_rule = {meeting.local_date for meeting in Meeting.objects.filter(topic=cast.steps)}
    thirds = {m.local_date for m in Meeting.objects.filter(group=cast.willow) if 15 <= m.local_date.day <= 21}
    assert by_rule == thirds
    assert planned == len(thirds) >= 2


def test_topics_in_turn_begin_with_the_one_not_taken_up_for_longest(cast, weeks):
    cast.willow.rotates_topics = True
    cast.willow.save()
    held(weeks, weeks_ago=1, topic=cast.anger)
    held(weeks, weeks_ago=2, topic=cast.steps)

    services.plan_topics([cast.willow.pk])

    coming = [m.topic.name for m in Meeting.objects.upcoming().filter(group=cast.willow).in_order()]
    assert coming[:4] == ["Patience", "The steps", "Anger", "Patience"]


def test_date_that_was_cancelled_took_up_no_topic(cast, weeks):
    cast.willow.rotates_topics = True
    cast.willow.save()
    for weeks_ago, topic in ((2, cast.steps), (3, cast.patience), (4, cast.anger)):
        held(weeks, weeks_ago=weeks_ago, topic=topic)
    Meeting.objects.filter(pk=held(weeks, weeks_ago=1, topic=cast.anger).pk).update(status="cancelled")

    services.plan_topics([cast.willow.pk])

    coming = [m.topic.name for m in Meeting.objects.upcoming().filter(group=cast.willow).in_order()]
    assert coming[:3] == ["Anger", "Patience", "The steps"]


def test_rule_goes_before_the_turn_and_its_topic_takes_no_turn(cast, weeks):
    TopicRule.objects.create(group=cast.willow, nth_of_month=3, topic=cast.steps)
    cast.willow.rotates_topics = True
    cast.willow.save()

    services.plan_topics([cast.willow.pk])

    for meeting in Meeting.objects.filter(group=cast.willow).select_related("topic"):
        assert (meeting.topic == cast.steps) is (15 <= meeting.local_date.day <= 21)


def test_topic_chosen_by_hand_stays(cast, weeks):
    chosen = Meeting.objects.filter(group=cast.willow).in_order().first()
    Meeting.objects.filter(pk=chosen.pk).update(topic=cast.patience)
    cast.willow.rotates_topics = True
    cast.willow.save()

    services.plan_topics([cast.willow.pk])
    services.plan_topics([cast.willow.pk])

    assert topics_of(cast.willow)[:2] == ["Patience", "Anger"]


def test_group_without_topics_of_its_own_takes_the_library_in_turn(cast, weeks, library):
    Topic.objects.filter(group=cast.willow).delete()
    cast.willow.rotates_topics = True
    cast.willow.save()

    services.plan_topics([cast.willow.pk])

    names = topics_of(cast.willow)
    assert len(set(names[:10])) == 10
    assert set(names) <= {topic.name for topic in LIBRARY}


def test_new_dates_get_their_topic_when_they_are_made(cast, weeks):
    TopicRule.objects.create(group=cast.willow, nth_of_month=3, topic=cast.steps)
    Meeting.objects.filter(group=cast.willow).delete()

    services.extend_series()

    assert cast.steps.name in topics_of(cast.willow)


def test_other_groups_keep_out_of_it(cast, weeks):
    TopicRule.objects.create(group=cast.willow, nth_of_month=3, topic=cast.steps)

    services.plan_topics([cast.willow.pk, cast.cedar.pk])

    assert set(topics_of(cast.cedar)) == {None}


# --- The library ------------------------------------------------------------------------------------------------------


def test_library_has_something_to_ask_to_read_and_to_try_in_both_languages(library):
    house = {topic.name: topic for topic in Topic.objects.filter(group=None)}

    assert {topic.name for topic in LIBRARY} == set(house)
    for topic in house.values():
        english = (topic.title, topic.questions, topic.to_read, topic.to_try)
        with translation.override("es"):
            spanish = (topic.title, topic.questions, topic.to_read, topic.to_try)
        assert all(english)
        assert len(english[1]) == len(spanish[1]) >= 3
        assert all(one != other for one, other in zip(english, spanish, strict=True)), topic.name


def test_words_a_house_has_changed_are_shown_as_typed(library):
    cravings = Topic.objects.get(name="Cravings", group=None)
    cravings.reading = "Our own words."
    own = Topic(name="Coping", group_id=1)

    with translation.override("es"):
        assert cravings.to_read == "Our own words."
        assert (own.title, own.to_read, own.questions) == ("Coping", "", [])


def test_page_of_a_meeting_lets_people_read_ahead(cast, library, client):
    Meeting.objects.filter(pk=cast.willow_meeting.pk).update(topic=Topic.objects.get(name="Cravings", group=None))

    page = client.get(cast.willow_meeting.get_absolute_url()).content.decode()

    assert "A craving comes like a wave." in page
    assert "What helped it pass?" in page


# --- The admin --------------------------------------------------------------------------------------------------------


def rules_of(client, group, **rule) -> dict:
    page = client.get(reverse("admin:groups_group_change", args=[group.pk]))
    fields = {f"topic_rules-0-{name}": value for name, value in rule.items()}
    return form_of(page) | {"topic_rules-TOTAL_FORMS": "1", **fields}


def test_counselor_sets_a_topic_by_rule_and_the_coming_dates_follow(cast, weeks, sign_in):
    client = sign_in(cast.carol)
    sent = rules_of(client, cast.willow, nth_of_month="3", weekday="1", topic=str(cast.steps.pk))

    client.post(reverse("admin:groups_group_change", args=[cast.willow.pk]), sent)

    assert list(TopicRule.objects.values_list("group", "topic")) == [(cast.willow.pk, cast.steps.pk)]
    assert cast.steps.name in topics_of(cast.willow)


def test_topic_of_another_group_cannot_come_by_rule(cast, weeks, sign_in):
    foreign = Topic.objects.create(group=cast.cedar, name="Cedar secrets")
    client = sign_in(cast.olga)  # who sees both groups
    sent = rules_of(client, cast.willow, nth_of_month="3", weekday="1", topic=str(foreign.pk))

    page = client.post(reverse("admin:groups_group_change", args=[cast.willow.pk]), sent)

    assert page.status_code == 200
    assert not TopicRule.objects.exists()


def test_choice_of_a_topic_says_when_it_was_last_taken_up(cast, weeks, sign_in):
    past = held(weeks, weeks_ago=1, topic=cast.anger)
    coming = Meeting.objects.upcoming().filter(group=cast.willow).first()

    page = sign_in(cast.carol).get(reverse("admin:meetings_meeting_change", args=[coming.pk])).content.decode()

    assert f"Anger (last on {past.local_date:%B} {past.local_date.day})" in page
    assert ">Patience<" in page
