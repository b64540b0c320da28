from django.urls import path, re_path

from audit import views

app_name = "audit"
urlpatterns = [
    # /audit/
    path("", views.home, name="home"),
    path("monitoring/", views.monitoring, name="monitoring"),
    path("actions/", views.actions, name="actions"),
    path("mine/", views.mine, name="mine"),
    re_path(r"^(?P<what>monitoring|actions)\.(?P<format_>csv|jsonl)$", views.exported, name="export"),
]
