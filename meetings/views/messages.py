"""Writing to the people of a meeting or a group: what, to whom, a look at it, and then it is sent."""

from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from groups.access import get_group_as_facilitator
from groups.models import Group
from outbox import wordings

from .. import access, services, wording
from ..message_models import GroupMessage
from ..models import Meeting
from ..more_mails import message as message_mail
from ..people_forms import MessageForm


@sensitive_post_parameters("text")
@require_http_methods(["GET", "POST"])
def meeting_message(request, meeting_id):
    meeting = access.get_meeting_as_facilitator(request, meeting_id)
    return _write(request, meeting.group, meeting)


@sensitive_post_parameters("text")
@require_http_methods(["GET", "POST"])
def group_message(request, slug):
    group = get_group_as_facilitator(request, slug)
    return _write(request, group, None)


def _write(request, group: Group, meeting: Meeting | None):
    """The form; with `look`, the mail as it would be and how many get it; with `send`, it is sent."""
    form = MessageForm(request.POST if request.method == "POST" else None, is_of_meeting=meeting is not None)
    context = {"group": group, "meeting": meeting, "form": form}
    if meeting is not None and meeting.is_over:
        return render(request, "meetings/message_over.html", context, status=409 if form.is_bound else 200)
    if not form.is_valid():
        return render(request, "meetings/message_write.html", context, status=400 if form.is_bound else 200)
    if "change" in request.POST:
        return render(request, "meetings/message_write.html", context)
    chosen = {"audience": form.cleaned_data["audience"], "text": form.cleaned_data["text"]}
    sent = None
    if "send" in request.POST:
        sent = services.send_message(form.message_id, group, by=request.user, meeting=meeting, **chosen)
        if sent is not None:
            return redirect("meetings:message_sent", message_id=sent.pk)
    return _show(request, context, GroupMessage(pk=form.message_id, group=group, meeting=meeting, **chosen))


def _show(request, context: dict, message: GroupMessage):
    """What would be sent, and why it cannot be if it cannot."""
    group, meeting = message.group, message.meeting
    readers = services.find_readers(group, meeting=meeting, audience=message.audience)
    again_at = services.may_send_from(group)
    refused = ""
    if again_at is not None:
        clock = wording.clock(again_at.astimezone(group.zone))
        refused = _("So many messages were sent in the last hour that this one has to wait until %(clock)s.") % {
            "clock": clock
        }
    elif not readers.ids:
        refused = _("No mail reaches any of these people. Nothing can be sent to them.")
    is_sent = "send" in request.POST
    more = {
        "message": message,
        "readers": readers,
        "letter": message_mail.preview(message, request.user.pk, translation.get_language() or "en"),
        "advice": wordings.advice_on_text(message.text, group_names=[group.name]),
        "refused": refused,
    }
    status = (429 if again_at else 409) if is_sent else 200
    return render(request, "meetings/message_look.html", context | more, status=status)


@require_safe
def message_sent(request, message_id):
    """To how many a message went, and who has no mail. Not what it said."""
    message = access.get_message(request, message_id)
    return render(request, "meetings/message_sent.html", {"message": message, "group": message.group})
