from django import template

from groups.models import Group

from .. import wording
from ..models import Meeting

register = template.Library()

register.filter("when", wording.when)
register.filter("places", wording.places)
register.filter("pattern", wording.pattern)
register.filter("clock", wording.clock)
register.filter("day", wording.day)


@register.simple_tag
def coming_meetings(group: Group, count: int = 6) -> list[Meeting]:
    return list(Meeting.objects.upcoming().filter(group=group).in_order()[:count])
