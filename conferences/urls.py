from django.urls import path

from conferences import views

app_name = "conferences"
urlpatterns = [
    # /conferences/
    path("", views.board, name="board"),
]
