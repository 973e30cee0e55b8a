from django.urls import path

from . import views

app_name = "groups"
urlpatterns = [
    path("<slug:slug>/", views.group_detail, name="group_detail"),
    path("<slug:slug>/join/", views.group_join, name="group_join"),
]
