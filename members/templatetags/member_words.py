from django import template

from .. import devices, wording

register = template.Library()
register.filter("device", devices.in_words)
register.filter("moment", wording.moment)


@register.filter
def plain(form):
    """A form whose fields have labels and no second one inside (A11Y-04)."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    return form
