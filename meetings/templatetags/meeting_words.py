from collections.abc import Iterable

from django import template
from django.contrib.auth.models import AnonymousUser
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from groups.models import Group, Phase
from members.models import Member

from .. import cards, events, wording
from ..cards import Card
from ..models import Meeting, Participation

register = template.Library()

register.filter("when", wording.when)
register.filter("places", wording.places)
register.filter("pattern", wording.pattern)
register.filter("clock", wording.clock)
register.filter("moment", wording.moment)
register.filter("day", wording.day)
register.filter("full_day", wording.full_day)
register.filter("moment", wording.moment)
register.filter("own_time", wording.own_time)
register.filter("for_you", wording.for_you)
register.filter("zone_name", wording.zone_name)


@register.simple_tag(takes_context=True)
def meeting_card(context, meeting: Meeting | Card, *, show_day: bool = False) -> SafeString:
    """A meeting, or a card of one, with the time of whoever reads it; a meeting with their own answer as `mine`."""
    if isinstance(meeting, Meeting):
        meeting = Card.of(meeting, rsvp=getattr(getattr(meeting, "mine", None), "rsvp", None))
    return cards.html(meeting, zone=getattr(context.get("request"), "zone", None), show_day=show_day)


@register.simple_tag(takes_context=True)
def meeting_cards(context, meetings: Iterable[Meeting | Card], *, show_day: bool = False) -> SafeString:
    """A list of them."""
    items = format_html_join("", "<li>{}</li>", ((meeting_card(context, one, show_day=show_day),) for one in meetings))
    return format_html('<ul class="cards">{}</ul>', items)


@register.simple_tag
def coming_meetings(group: Group, member: Member | AnonymousUser | None = None, count: int = 6) -> list[Meeting]:
    """The dates ahead, cancelled ones too, each with the member's own answer as `mine`."""
    meetings = list(
        Meeting.objects.upcoming_or_cancelled().filter(group=group).select_related("group").in_order()[:count]
    )
    if isinstance(member, Member):
        answers = Participation.objects.filter(member=member, meeting__in=meetings)
        mine = {answer.meeting_id: answer for answer in answers}
        for meeting in meetings:
            meeting.mine = mine.get(meeting.pk)
    return meetings


@register.simple_tag
def usual_minutes(group: Group) -> int:
    """How long its meetings are: as its first schedule says."""
    series = group.series.order_by("pk").first()
    return series.minutes if series else 90


@register.simple_tag
def sequence(group: Group, minutes: int) -> list[Phase]:
    return group.sequence(minutes)


@register.simple_tag
def event_data(meetings: list[Meeting]) -> str:
    """The dates for search engines, safe inside a script element."""
    return mark_safe(events.as_json(meetings))
