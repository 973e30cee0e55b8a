"""What the coming meetings are about, as far as nobody has chosen: by rule, or in turn."""

from collections.abc import Collection
from datetime import date

from django.db.models import Max, Q

from groups.models import Group, Topic, TopicRule

from ..models import Meeting


def last_used(group: Group) -> dict[int, date]:
    """The latest date on which each topic was taken up in this group, by topic id."""
    held = Meeting.objects.filter(group=group).exclude(topic=None).over()
    taken_up = held.filter(status__in=[Meeting.Status.HELD, Meeting.Status.SCHEDULED])
    return dict(taken_up.order_by().values_list("topic").annotate(latest=Max("local_date")))


def plan_topics(groups: Collection[int]) -> int:
    """Give the coming meetings of these groups that have no topic one by rule or in turn. Returns how many got one."""
    with_rules = TopicRule.objects.filter(group__in=groups).values("group")
    planned = 0
    for group in Group.objects.filter(Q(pk__in=with_rules) | Q(rotates_topics=True), pk__in=groups).order_by("pk"):
        planned += _plan(group)
    return planned


def _plan(group: Group) -> int:
    rules = list(group.topic_rules.order_by("pk").select_related("topic"))
    in_turn = _topics_in_turn(group, rules) if group.rotates_topics else []
    latest = _latest_date_of_each(group)
    planned = 0
    for meeting in Meeting.objects.upcoming().filter(group=group, topic=None).in_order():
        topic = _by_rule(rules, meeting.local_date) or min(
            in_turn, key=lambda topic: (latest.get(topic.pk, date.min), topic.name), default=None
        )
        if topic is None:
            continue
        latest[topic.pk] = meeting.local_date
        planned += Meeting.objects.filter(pk=meeting.pk, topic=None).update(topic=topic)
    return planned


def _by_rule(rules: list[TopicRule], on: date) -> Topic | None:
    """The topic of the rule for that date; one that names the weekday goes before one that does not."""
    fitting = [rule for rule in rules if rule.covers(on)]
    chosen = max(fitting, key=lambda rule: rule.weekday is not None, default=None)
    return chosen.topic if chosen else None


def _topics_in_turn(group: Group, rules: list[TopicRule]) -> list[Topic]:
    """The group's own topics, or the library's where it has none; those that come by rule are left to their dates."""
    by_rule = {rule.topic_id for rule in rules}
    own = [topic for topic in Topic.objects.filter(group=group) if topic.pk not in by_rule]
    return own or [topic for topic in Topic.objects.filter(group=None) if topic.pk not in by_rule]


def _latest_date_of_each(group: Group) -> dict[int, date]:
    """As `last_used`, with the dates ahead that are planned already."""
    meetings = Meeting.objects.filter(group=group).exclude(topic=None).exclude(status=Meeting.Status.CANCELLED)
    return dict(meetings.order_by().values_list("topic").annotate(latest=Max("local_date")))
