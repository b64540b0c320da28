"""Every address of the panel. Each feature brings its own list."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from accounts import me
from accounts import views as accounts
from phoenix_panel.jsi18n import catalogue


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers; asks nothing of the database nor of a PBX."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


handler400 = "phoenix_panel.errors.bad_request"
handler403 = "phoenix_panel.errors.forbidden"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="calls:board"), name="home"),
    path("calls/", include("calls.urls")),
    path("conferences/", include("conferences.urls")),
    path("monitoring/", include("listening.urls")),
    path("audit/", include("audit.urls")),
    # accounts/
    path("accounts/", include("accounts.urls")),
    path("setup/<str:code>/", me.setup, name="setup"),
    # people/
    path("people/", include("people.urls")),
    # words
    path("i18n/setlang/", accounts.set_language, name="set_language"),
    path("jsi18n/", catalogue, name="jsi18n"),
    # for machines
    path("api/v1/", include("api.urls")),
    path("livez", livez, name="livez"),
]

if settings.PHOENIX_ADMIN:
    from phoenix_panel.breakglass import site

    urlpatterns.append(path("break-glass/", site.urls))
