from django.urls import path

from . import views

app_name = "reports"
urlpatterns = [
    path("", views.report_list, name="report_list"),
    path("attendance/", views.attendance, name="attendance"),
    path("wording/", views.wording_tests, name="wording_tests"),
]
