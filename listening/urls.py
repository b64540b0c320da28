from django.urls import path

from listening import views

app_name = "listening"
urlpatterns = [
    # /monitoring/
    path("policy/", views.policy, name="policy"),
    path("policy/<int:pk>/", views.policy, name="team_policy"),
    path("policy/preset/", views.preset, name="preset"),
]
