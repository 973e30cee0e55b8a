from django.urls import path

from . import views

app_name = "groups"
urlpatterns = [
    path("first-time/", views.first_time, name="first_time"),
    path("groups/<slug:slug>/", views.group_detail, name="group_detail"),
    path("groups/<slug:slug>/join/", views.group_join, name="group_join"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
]
