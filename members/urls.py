from django.urls import path

from . import views

app_name = "members"
urlpatterns = [
    path("help/", views.help_now, name="help_now"),
    path("leave/", views.leave_page, name="leave_page"),
    path("display/", views.display, name="display"),
    path("my/settings/", views.settings_hub, name="settings"),
    path("my/settings/name/", views.display_name, name="display_name"),
    path("my/stay/", views.stay, name="stay"),
    path("my/draft/", views.draft, name="draft"),
    path("my/draft/send/", views.draft_send, name="draft_send"),
    path("my/sign-out-everywhere/", views.sign_out_everywhere, name="sign_out_everywhere"),
]
