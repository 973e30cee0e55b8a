from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe


@login_not_required
@require_safe
def help_now(request):
    return render(request, "members/help_now.html")


@login_not_required
@csrf_exempt  # a page from before signing in elsewhere must lead away too; other sites cannot send the session's cookie
@require_POST
def leave_page(request):
    """End the session and go somewhere plain. The browser's history is not erased, and the help page says so."""
    logout(request)
    return HttpResponseRedirect(settings.LEAVE_URL)
