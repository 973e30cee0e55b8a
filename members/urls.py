from django.urls import path

from . import views

app_name = "members"
urlpatterns = [
    path("help/", views.help_now, name="help_now"),
    path("leave/", views.leave_page, name="leave_page"),
    path("my/reminders/", views.reminders, name="reminders"),
]
