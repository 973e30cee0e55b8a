from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from groups.models import Group

from . import services
from .forms import QuestionForm


@login_not_required
@never_cache
@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request):
    """Ask the centre, without account or cookie: what is sent is tied to nobody, and the form carries our stamp."""
    group = _group_asked_about(request)
    form = QuestionForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _show(request, form, group, status=400 if form.is_bound else 200)
    if services.was_sent(form.token):
        return redirect("centre:sent")
    if not ratelimit.consume(request, action="question"):
        return _show(request, form, group, status=429)
    services.ask_centre(group=group, token=form.token, **form.question())
    return redirect("centre:sent")


@login_not_required
@require_safe
def sent(request):
    return render(request, "centre/sent.html")


def _group_asked_about(request) -> Group | None:
    """A group that everybody may see; what else is asked for is passed over."""
    slug = request.POST.get("group") or request.GET.get("group") or ""
    return Group.objects.listed().filter(slug=slug).first() if slug and "\0" not in slug else None


def _show(request, form, group, *, status: int):
    context = {
        "form": form,
        "group": group,
        "is_too_much": status == 429,
        "days": settings.QUESTIONS_KEPT_DAYS,
        "days_after_answer": settings.QUESTIONS_KEPT_DAYS_AFTER_ANSWER,
    }
    return render(request, "centre/contact.html", context, status=status)
