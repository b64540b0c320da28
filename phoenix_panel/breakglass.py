"""Django's own admin, for the day on which the panel's pages don't help: off unless PHOENIX_ADMIN=yes, for superusers
alone, who are made from the shell. It shows most things and changes few: whose account is on, and her roles; by the
same rules and into the same audit as everything else (people.services)."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Protected, Team, TeamRule, Token, User
from accounts.stepup import recent
from audit.models import Entry
from people import services
from people.views import who


class BreakGlass(admin.AdminSite):
    site_title = site_header = _("Break-glass door")
    index_title = _("What the panel keeps")

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The panel's own page, with all that it asks. Who is signed in and no superuser has nothing to find here."""
        if request.user.is_authenticated:
            return HttpResponse(status=403)
        return redirect_to_login(reverse("admin:index"))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(recent()(view), cacheable)


site = BreakGlass(name="breakglass")

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[TeamRule, Team]
else:
    _ModelAdmin, _TabularInline = admin.ModelAdmin, admin.TabularInline


class Shown(_ModelAdmin):
    """To look at."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User, site=site)
class People(Shown):
    fields = ("username", "display_name", "email", "is_superuser", "last_login", "is_active", "groups")
    readonly_fields = ("username", "display_name", "email", "is_superuser", "last_login")
    list_display = ("username", "display_name", "is_active", "is_superuser", "last_login")
    search_fields = ("username", "display_name")
    # Its usual widget for many-to-many is scripts that the panel's policy stops.
    formfield_overrides = {models.ManyToManyField: {"widget": forms.CheckboxSelectMultiple}}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        try:
            with services.changing(who(request), services.PEOPLE, "people.breakglass"):
                return super().changeform_view(request, object_id, form_url, extra_context)
        except services.Refused as refusal:
            messages.error(request, refusal.words)
            return HttpResponseRedirect(request.get_full_path())

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """In the audit it is already."""


class Rules(_TabularInline):
    model = TeamRule
    extra = 0


@admin.register(Team, site=site)
class Teams(Shown):
    inlines = (Rules,)


@admin.register(Token, site=site)
class Tokens(Shown):
    list_display = ("hint", "user", "name", "expires", "last_used", "revoked")
    exclude = ("digest",)


@admin.register(Entry, site=site)
class Entries(Shown):
    list_display = ("at", "user_name", "kind", "verb", "target_words", "outcome", "code")
    show_full_result_count = False  # a count over a million rows for every page


site.register([Group, Protected], Shown)
