from django.urls import path

from . import views

app_name = "meetings"
urlpatterns = [
    path("meetings/", views.meeting_list, name="meeting_list"),
    path("meetings/<uuid:meeting_id>/", views.meeting_detail, name="meeting_detail"),
    path("meetings/<uuid:meeting_id>/rsvp/", views.meeting_rsvp, name="meeting_rsvp"),
    path("meetings/<uuid:meeting_id>/calendar.ics", views.meeting_calendar, name="meeting_calendar"),
    path("meetings/<uuid:meeting_id>/roster/", views.meeting_roster, name="meeting_roster"),
    path("meetings/<uuid:meeting_id>/log/", views.meeting_log, name="meeting_log"),
    path("meetings/<uuid:meeting_id>/log/sign/", views.meeting_log_sign, name="meeting_log_sign"),
    path("meetings/<uuid:meeting_id>/run/", views.meeting_run, name="meeting_run"),
    path("meetings/<uuid:meeting_id>/room/", views.meeting_room, name="meeting_room"),
    path("meetings/<uuid:meeting_id>/room/now/", views.meeting_room_now, name="meeting_room_now"),
    path("groups/<slug:slug>/calendar.ics", views.group_calendar, name="group_calendar"),
    path("meetings/embed/", views.embed, name="embed"),
    path("meetings.json", views.public_feed, name="public_feed"),
    path("sitemap.xml", views.sitemap, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
    path("my/calendar/", views.my_calendar, name="my_calendar"),
    path("my/calendar/<str:token>.ics", views.calendar_feed, name="calendar_feed"),
    path("groups/<slug:slug>/leave/", views.group_leave, name="group_leave"),
    path("my/seen/", views.week_seen, name="week_seen"),
    path("my/attendance/", views.my_attendance, name="my_attendance"),
    path("my/letters/", views.my_letters, name="my_letters"),
    path("my/letters/<uuid:letter_id>/", views.my_letter, name="my_letter"),
    path("my/letters/<uuid:letter_id>/share/", views.my_letter_share, name="my_letter_share"),
    path("letters/<uuid:letter_id>/", views.letter_detail, name="letter_detail"),
    path("letters/given/<uuid:disclosure_id>/", views.letter_disclosed, name="letter_disclosed"),
    path("verify/", views.verify, name="verify"),
    path("my/reminders/", views.reminders, name="reminders"),
    path("groups/<slug:slug>/every-week/", views.group_standing, name="group_standing"),
    path("m/<str:token>/", views.answer_from_mail, name="answer_from_mail"),
]
