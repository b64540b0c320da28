from django.urls import path

from people import views

app_name = "people"
urlpatterns = [
    # /people/
    path("", views.users, name="users"),
    path("new/", views.new_person, name="new_person"),
    path("<int:pk>/", views.person, name="person"),
    path("<int:pk>/<slug:deed>/", views.do_to_person, name="do_to_person"),
    path("roles/", views.roles, name="roles"),
    path("roles/new/", views.new_role, name="new_role"),
    path("roles/<int:pk>/", views.role, name="role"),
    path("roles/<int:pk>/delete/", views.delete_role, name="delete_role"),
    path("teams/", views.teams, name="teams"),
    path("teams/new/", views.new_team, name="new_team"),
    path("teams/<int:pk>/", views.team, name="team"),
    path("teams/<int:pk>/<slug:deed>/", views.do_to_team, name="do_to_team"),
    path("protected/", views.protected, name="protected"),
    path("protected/<int:pk>/remove/", views.remove_protected, name="remove_protected"),
    path("explain/", views.explain, name="explain"),
    path("files/", views.files, name="files"),
    path("files/people.csv", views.people_csv, name="people_csv"),
    path("files/teams.csv", views.teams_csv, name="teams_csv"),
]
