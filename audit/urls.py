from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    # /audit/
    path("", views.home, name="home"),
    path("monitoring/", views.monitoring, name="monitoring"),
    path("actions/", views.actions, name="actions"),
    path("mine/", views.mine, name="mine"),
    *(
        path(f"{what}.{format_}", views.exported, {"what": what, "format_": format_}, name=f"{what}.{format_}")
        for what in ("monitoring", "actions")
        for format_ in ("csv", "jsonl")
    ),
]
