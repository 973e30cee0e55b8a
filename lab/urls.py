from django.urls import path

from . import views

app_name = "lab"
urlpatterns = [
    path("", views.letter_list, name="letter_list"),
    path("picture/<str:token>/", views.letter_picture, name="letter_picture"),
    path("<slug:name>/<str:language>/", views.letter_detail, name="letter_detail"),
    path("<slug:name>/<str:language>/write/", views.letter_write, name="letter_write"),
    path("<slug:name>/<str:language>/preview/", views.letter_preview, name="letter_preview"),
    path("<slug:name>/<str:language>/<int:number>/", views.letter_words, name="letter_words"),
]
