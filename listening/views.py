"""The page of the monitoring policy."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import policies
from accounts.models import Team
from accounts.monitoring_policy import PRESETS
from accounts.stepup import recent
from audit import asking
from listening import services
from listening.forms import PolicyForm

MAY = "accounts.roles"


@login_required
@permission_required(MAY, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
@recent(minutes=10)
def policy(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The panel's own, or a team's."""
    team = None if pk is None else get_object_or_404(Team, pk=pk)
    form = PolicyForm(team, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        services.change(asking.who(request), team, form.modes, form.cleaned_data.get("reasons"))
        messages.success(request, _("Saved. It holds for what begins from now on."))
        return redirect(request.path)
    context = {
        "form": form,
        "team": team,
        "answered": policies.answered(),
        "presets": PRESETS,
        "teams": [(one, bool(policies.of(one))) for one in Team.objects.all()] if team is None else [],
    }
    return render(request, "listening/policy.html", context)


@login_required
@permission_required(MAY, raise_exception=True)
@require_POST
@recent(minutes=10)
def preset(request: HttpRequest) -> HttpResponse:
    """The panel's own becomes what a preset has."""
    name = request.POST.get("preset", "")
    if name not in PRESETS:
        raise Http404
    services.preset(asking.who(request), name)
    messages.success(request, _("Saved. It holds for what begins from now on."))
    return redirect("listening:policy")
