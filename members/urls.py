from django.urls import path

from . import views

app_name = "members"
urlpatterns = [
    path("help/", views.help_now, name="help_now"),
    path("leave/", views.leave_page, name="leave_page"),
    path("display/", views.display, name="display"),
    path("my/settings/", views.settings_hub, name="settings"),
    path("my/settings/name/", views.display_name, name="display_name"),
    path("my/data/", views.my_data, name="my_data"),
    path("my/data/take/", views.my_data_take, name="my_data_take"),
    path("my/data/<slug:name>/", views.my_data_part, name="my_data_part"),
    path("my/mail-works/", views.mail_works, name="mail_works"),
    path("my/stay/", views.stay, name="stay"),
    path("my/draft/", views.draft, name="draft"),
    path("my/draft/send/", views.draft_send, name="draft_send"),
    path("my/sign-out-everywhere/", views.sign_out_everywhere, name="sign_out_everywhere"),
]
