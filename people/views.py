"""The administrators' pages. They ask people.services, and say what it says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeAlias

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import explaining, invitations, mfa, sessions, stepup, tokens
from accounts.explaining import Explanation
from accounts.models import Protected, Team, User
from accounts.permissions import Rule, Scope, sees
from accounts.rights import RIGHTS, ROLES
from accounts.snapshots import standing_of
from accounts.views import remote_address
from audit.record import Who
from floor import inquiry
from floor.asking import Facts
from floor.registry import ACTIONS, Action
from people import services, sheets
from people.existing import Floor, pbxs
from people.forms import (
    ExplainForm,
    FileForm,
    Form,
    MemberForm,
    PersonForm,
    ProtectedForm,
    RoleForm,
    RuleForm,
    TeamForm,
)
from people.services import PEOPLE, ROLES_TEAMS, Change, Refused, changing, looking
from people.sheets import Faults

PAGE = 100
"""People on a page: a table that is still read, and not scrolled through."""

TEAM_ID = "team_%s"  # beside two other forms on one page, that have a name as well

View: TypeAlias = Callable[..., HttpResponseBase]


def managing(right: str) -> Callable[[View], View]:
    """A page for who has this right now. What changes something asks again who she is, unless she said so lately."""

    def decorate(view: View) -> View:
        certain = stepup.recent()(view)

        @login_required
        @wraps(view)
        def managed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(right):
                raise PermissionDenied
            try:
                return (view if request.method in ("GET", "HEAD") else certain)(request, *args, **kwargs)
            except Refused:  # what no form shows: the right was taken from her a moment ago
                raise PermissionDenied from None

        return managed

    return decorate


def who(request: HttpRequest) -> Who:
    assert isinstance(request.user, User)
    return Who(request.user.pk, request.user.name, "page", remote_address(request))


@contextmanager
def into(form: Form) -> Iterator[None]:
    """What a service refuses is said in the form, which keeps all that was typed."""
    try:
        yield
    except (ValidationError, Refused) as error:
        form.take(error)


@contextmanager
def onto(request: HttpRequest) -> Iterator[None]:
    """What a service refuses is said at the top of the next page."""
    try:
        yield
    except Refused as refusal:
        messages.error(request, refusal.words)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


# --- people


@managing(PEOPLE)
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    looked = looking(who(request), PEOPLE)
    now, words = looked.before, request.GET.get("q", "").strip()
    mine = [pk for pk in now.people if looked.may_touch(("person", pk))]
    found = []
    for pk in mine:
        document = now.document(("person", pk))
        lists = document["roles"] + document["teams"] + document["phones"]
        texts = [document["username"], document["name"], document["email"], *lists]
        if all(any(word in text.casefold() for text in texts) for word in words.casefold().split()):
            found.append((document["name"] or document["username"], pk, document))
    found.sort(key=lambda one: (one[0].casefold(), one[1]))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    shown = [pk for _name, pk, _document in page]
    seen = dict(User.objects.filter(pk__in=shown).values_list("pk", "last_login"))
    seen |= UserSession.objects.filter(user__in=shown).values_list("user_id").annotate(Max("last_seen_at"))
    factors = _with_factors(shown)
    rows = [
        {
            **document,
            "pk": pk,
            "name": name,
            "person": now.people[pk],
            "seen": seen.get(pk),
            "factor": pk in factors,
        }
        for name, pk, document in page
    ]
    more = {"rows": rows, "page": page, "q": words, "hidden": len(now.people) - len(mine), "all": len(mine)}
    return render(request, "people/users.html", more)


def _with_factors(pks: list[int]) -> set[int]:
    """Those of them who have a second factor."""
    return set(Authenticator.objects.filter(user__in=pks, type__in=mfa.FACTORS).values_list("user_id", flat=True))


@managing(PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def new_person(request: HttpRequest) -> HttpResponse:
    """The link is in the answer to the form, and nowhere else."""
    form = PersonForm(looking(who(request), PEOPLE), data=_sent(request))
    if form.is_bound and form.is_valid():
        user = User()
        with into(form), changing(who(request), PEOPLE, "people.invite"):
            services.save_person(user, **form.fill(user))
        if form.is_valid():
            return _person_page(request, user.pk, link=invitations.link_for(user, request))
    return render(request, "people/new_person.html", {"form": form})


@managing(PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method != "POST":
        return _person_page(request, pk)
    user, looked = _person(request, pk)
    form = PersonForm(looked, user, request.POST)
    if form.is_valid():
        with into(form), changing(who(request), PEOPLE, "people.change") as change:
            user = change.person(pk)
            services.save_person(user, **form.fill(user))
        if form.is_valid():
            messages.success(request, _("Kept."))
            return redirect("people:person", pk)
    return _person_page(request, pk, form)


def _person(request: HttpRequest, pk: int) -> tuple[User, Change]:
    looked = looking(who(request), PEOPLE)
    try:
        return looked.person(pk), looked
    except Refused:
        raise Http404 from None


def _person_page(request: HttpRequest, pk: int, form: PersonForm | None = None, link: str = "") -> HttpResponse:
    user, looked = _person(request, pk)
    more = {
        "form": form or PersonForm(looked, user),
        "shown": user,
        "person": looked.before.people[pk],
        "tokens": tokens.good().filter(user=user),
        "sessions": len(sessions.held(user)),
        "factor": mfa.enabled(user),
        "must": mfa.required(user),
        "link": link,
    }
    return render(request, "people/person.html", more)


@managing(PEOPLE)
@require_POST
def do_to_person(request: HttpRequest, pk: int, deed: str) -> HttpResponse:
    asks = who(request)
    with onto(request), changing(asks, PEOPLE, f"people.{deed}") as change:
        if deed == "link":
            return _person_page(request, pk, link=services.link_for(change, asks, pk, request))
        if deed in ("on", "off"):
            services.set_active(change, pk, deed == "on")
            messages.success(request, _("Her account is on.") if deed == "on" else _("Her account is off."))
        elif deed == "sessions":
            ended = services.end_sessions(change, asks, pk)
            messages.success(request, ngettext("%d session ended.", "%d sessions ended.", ended) % ended)
        elif deed == "factors":
            taken = services.reset_factors(change, asks, pk)
            messages.success(
                request, ngettext("%d second factor taken away.", "%d second factors taken away.", taken) % taken
            )
        elif deed == "tokens":
            revoked = services.revoke_tokens(change, asks, pk)
            messages.success(request, ngettext("%d token revoked.", "%d tokens revoked.", revoked) % revoked)
        else:
            raise Http404
    return redirect("people:person", pk)


# --- roles


@managing(ROLES_TEAMS)
@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    looked = looking(who(request), ROLES_TEAMS)
    rows = [
        {
            "pk": pk,
            "name": role.name,
            "shipped": role.name in ROLES,
            "second_factor": role.second_factor,
            "rights": [words for right, words in RIGHTS.items() if right in role.rights],
            "members": _names(looked, "roles", pk),
            "mine": looked.may_touch(("role", pk)),
        }
        for pk, role in sorted(looked.before.roles.items(), key=lambda one: (one[1].name not in ROLES, one[1].name))
    ]
    return render(request, "people/roles.html", {"rows": rows, "of": len(RIGHTS)})


def _names(looked: Change, of: str, pk: int) -> list[str]:
    """Who has this role, or is in this team."""
    people = looked.before.people.values()
    return sorted(person.display_name or person.username for person in people if pk in getattr(person, of))


@managing(ROLES_TEAMS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_role(request: HttpRequest) -> HttpResponse:
    """As a copy of another: its rights, as far as she has them herself."""
    looked = looking(who(request), ROLES_TEAMS)
    copied = next((r for pk, r in looked.before.roles.items() if str(pk) == request.GET.get("copy")), None)
    initial: dict[str, Any] = {}
    if copied is not None:
        initial = {
            "name": _("%(name)s (copy)") % {"name": copied.name},
            "rights": sorted(copied.rights & looked.power.rights),
            "second_factor": copied.second_factor,
        }
    return _role_form(request, looked, initial)


@managing(ROLES_TEAMS)
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: HttpRequest, pk: int) -> HttpResponse:
    looked = looking(who(request), ROLES_TEAMS)
    if pk not in looked.before.roles:
        raise Http404
    held = looked.before.roles[pk]
    initial = {"name": held.name, "rights": sorted(held.rights), "second_factor": held.second_factor}
    return _role_form(request, looked, initial, pk)


def _role_form(request: HttpRequest, looked: Change, initial: dict[str, Any], pk: int | None = None) -> HttpResponse:
    """The page of a role, new where there is no `pk`."""
    name = looked.before.roles[pk].name if pk is not None else ""
    form = RoleForm(looked, initial, _sent(request), shipped=name in ROLES)
    if form.is_bound and form.is_valid():
        group = Group() if pk is None else get_object_or_404(Group, pk=pk)
        with into(form), changing(who(request), ROLES_TEAMS, "roles.change"):
            given = form.cleaned_data
            services.save_role(group, given["name"], given["rights"], second_factor=given["second_factor"])
        if form.is_valid():
            messages.success(request, _("Kept."))
            return redirect("people:role", group.pk)
    more = {
        "form": form,
        "pk": pk,
        "name": name,
        "shipped": name in ROLES,
        "mine": pk is None or looked.may_touch(("role", pk)),
        "members": [] if pk is None else _names(looked, "roles", pk),
    }
    return render(request, "people/role.html", more)


@managing(ROLES_TEAMS)
@require_POST
def delete_role(request: HttpRequest, pk: int) -> HttpResponse:
    group = get_object_or_404(Group, pk=pk)
    with onto(request), changing(who(request), ROLES_TEAMS, "roles.delete"):
        services.delete_role(group)
    if Group.objects.filter(pk=pk).exists():  # refused
        return redirect("people:role", pk)
    messages.success(request, _("The role “%(name)s” is gone.") % {"name": group.name})
    return redirect("people:roles")


# --- teams


@managing(ROLES_TEAMS)
@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    looked, floor = looking(who(request), ROLES_TEAMS), Floor()
    rows = [
        {
            "pk": pk,
            "name": team.name,
            "rules": _rules(team.rules, floor),
            "members": _names(looked, "teams", pk),
        }
        for pk, team in sorted(looked.before.teams.items(), key=lambda one: one[1].name.casefold())
    ]
    return render(request, "people/teams.html", {"rows": rows})


def _rules(rules: frozenset[Rule], floor: Floor) -> list[tuple[Rule, int]]:
    """Each with how much it matches now."""
    return [(rule, floor.matched(rule)) for rule in sorted(rules, key=lambda one: (one.aspect, one.pbx, one.name))]


@managing(ROLES_TEAMS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_team(request: HttpRequest) -> HttpResponse:
    form = TeamForm(_sent(request))
    if form.is_bound and form.is_valid():
        team = Team()
        with into(form), changing(who(request), ROLES_TEAMS, "teams.change"):
            services.save_team(team, form.cleaned_data["name"])
        if form.is_valid():
            return redirect("people:team", team.pk)
    return render(request, "people/new_team.html", {"form": form})


@managing(ROLES_TEAMS)
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """Its name; what is in it is changed by deeds of their own."""
    if request.method != "POST":
        return _team_page(request, pk)
    form = TeamForm(request.POST, auto_id=TEAM_ID)
    if form.is_valid():
        with into(form), changing(who(request), ROLES_TEAMS, "teams.change"):
            services.save_team(get_object_or_404(Team, pk=pk), form.cleaned_data["name"])
        if form.is_valid():
            messages.success(request, _("Kept."))
            return redirect("people:team", pk)
    return _team_page(request, pk, name_form=form)


def _team_page(request: HttpRequest, pk: int, **forms: Form) -> HttpResponse:
    looked, floor = looking(who(request), ROLES_TEAMS), Floor()
    if pk not in looked.before.teams:
        raise Http404
    held = looked.before.teams[pk]
    people = sorted(looked.before.people.items(), key=lambda one: one[1].username)
    more = {
        "pk": pk,
        "title": held.name,
        "name_form": TeamForm(initial={"name": held.name}, auto_id=TEAM_ID),
        "rule_form": RuleForm(),
        "member_form": MemberForm(),
        "mine": looked.may_touch(("team", pk)),
        "rules": _rules(held.rules, floor),
        "members": [(i, one, looked.may_touch(("person", i))) for i, one in people if pk in one.teams],
        "others": [one for i, one in people if pk not in one.teams and looked.may_touch(("person", i))],
        "names": floor.names(looked.power.scope),
        "pbxs": pbxs(),
        **forms,
    }
    return render(request, "people/team.html", more)


@managing(ROLES_TEAMS)
@require_POST
def do_to_team(request: HttpRequest, pk: int, deed: str) -> HttpResponse:
    held = get_object_or_404(Team, pk=pk)
    form: Form
    if deed in ("rule", "member"):
        form = (RuleForm if deed == "rule" else MemberForm)(request.POST)
        if form.is_valid():
            with into(form), changing(who(request), ROLES_TEAMS, "teams.change"):
                if deed == "rule":
                    services.add_rule(held, **form.cleaned_data)
                else:
                    services.add_member(held, form.cleaned_data["username"])
        if not form.is_valid():
            return _team_page(request, pk, **{f"{deed}_form": form})
        return redirect("people:team", pk)
    with onto(request):
        with changing(who(request), ROLES_TEAMS, f"teams.{'delete' if deed == 'delete' else 'change'}"):
            if deed == "delete":
                held.delete()
            elif deed == "less":
                services.drop_rule(held, *(request.POST.get(name, "") for name in ("aspect", "pbx", "name")))
            elif deed == "leave":
                services.drop_member(held, request.POST.get("username", ""))
            else:
                raise Http404
        if deed == "delete":
            messages.success(request, _("The team “%(name)s” is gone.") % {"name": held.name})
            return redirect("people:teams")
    return redirect("people:team", pk)


# --- protected people


@managing(ROLES_TEAMS)
@require_http_methods(["GET", "HEAD", "POST"])
def protected(request: HttpRequest) -> HttpResponse:
    form = ProtectedForm(_sent(request))
    if form.is_bound and form.is_valid():
        with into(form), changing(who(request), ROLES_TEAMS, "protected.change"):
            services.save_protected(Protected(**form.cleaned_data))
        if form.is_valid():
            return redirect("people:protected")
    looked, floor = looking(who(request), ROLES_TEAMS), Floor()
    held = sorted(looked.before.protected.items(), key=lambda one: (one[1][0].name, one[1][0].pbx))
    more = {
        "form": form,
        "rows": [
            (pk, rule, note, floor.matched(rule), looked.may_touch(("protected", pk))) for pk, (rule, note) in held
        ],
        "names": floor.names(looked.power.scope, ["extension"]),
        "pbxs": pbxs(),
    }
    return render(request, "people/protected.html", more)


@managing(ROLES_TEAMS)
@require_POST
def remove_protected(request: HttpRequest, pk: int) -> HttpResponse:
    with onto(request), changing(who(request), ROLES_TEAMS, "protected.change"):
        Protected.objects.filter(pk=pk).delete()
    return redirect("people:protected")


# --- explain


@managing(ROLES_TEAMS)
@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """Why can, or can't, somebody do something now? A question in the address: it may be sent to a colleague."""
    looked, floor = looking(who(request), ROLES_TEAMS), Floor()
    places = pbxs()
    form = ExplainForm(request.GET or None, initial={"pbx": places[0] if places else ""})
    mine = sorted(p.username for pk, p in looked.before.people.items() if looked.may_touch(("person", pk)))
    answer = None
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        user = User.objects.filter(username=given["username"]).first()
        if user is None or user.username not in mine:
            form.add_error("username", _("There is nobody like this whom you manage."))
        else:
            answer = _explained(user, ACTIONS[given["verb"]], given["pbx"], given["target"], looked.power.scope)
    more = {"form": form, "answer": answer, "people": mine, "names": floor.names(looked.power.scope), "pbxs": places}
    return render(request, "people/explain.html", more)


def _explained(user: User, action: Action, pbx: str, target: str, scope: Scope) -> Explanation:
    """As far as who asks sees herself (``scope``)."""
    standing = standing_of(user)
    facts = async_to_sync(inquiry.ask)(action, pbx, target, standing.user)
    if facts.target is not None and not sees(scope, facts.target):
        facts = Facts()
    return explaining.explain(standing, action.right, facts.target, state=facts.state)


# --- files


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@stepup.recent()  # before the file is chosen: it could not be kept while she says who she is
def files(request: HttpRequest) -> HttpResponse:
    """CSV out and in. What comes in is shown first, and done when it is sent again with the mark of what was shown."""
    if not any(map(request.user.has_perm, (PEOPLE, ROLES_TEAMS))):
        raise PermissionDenied
    return _take(request) if request.method == "POST" else render(request, "people/files.html", {"form": FileForm()})


def _take(request: HttpRequest) -> HttpResponse:
    text, form = request.POST.get("text", ""), FileForm(request.POST, request.FILES)
    if not text:
        if not form.is_valid():
            return render(request, "people/files.html", {"form": form})
        text = form.cleaned_data["file"]
    more: dict[str, Any] = {"form": FileForm(), "text": text}
    seen = request.POST.get("mark", "")
    try:
        change, new = _imported(who(request), text, seen)
        if seen == change.mark:
            messages.success(
                request, ngettext("%d thing changed.", "%d things changed.", len(change.lines)) % len(change.lines)
            )
            links = [(user, invitations.link_for(user, request)) for user in new]
            return render(request, "people/files.html", {"form": FileForm(), "done": change.lines, "links": links})
        more |= {"lines": change.lines, "mark": change.mark, "again": bool(seen)}
    except Faults as faults:
        more["faults"] = faults.found
    except Refused as refusal:
        more["faults"] = [(0, refusal.words)]
    return render(request, "people/files.html", more)


def _imported(asks: Who, text: str, seen: str) -> tuple[Change, list[User]]:
    """What it changes, or would if something else was seen; who is new. Faults, Refused."""
    kind, rows = sheets.read(text)
    new: list[User] = []
    right, verb = (PEOPLE, "people.import") if kind is sheets.PEOPLE else (ROLES_TEAMS, "teams.import")
    with changing(asks, right, verb, seen=seen) as change:
        if kind is sheets.PEOPLE:
            new = sheets.take_people(change, rows)
        else:
            sheets.take_teams(change, rows)
    return change, new


@managing(PEOPLE)
@require_safe
def people_csv(request: HttpRequest) -> HttpResponse:
    looked = looking(who(request), PEOPLE)
    mine = [pk for pk in looked.before.people if looked.may_touch(("person", pk))]
    return _csv("people.csv", sheets.people(looked.before, mine))


@managing(ROLES_TEAMS)
@require_safe
def teams_csv(request: HttpRequest) -> HttpResponse:
    looked = looking(who(request), ROLES_TEAMS)
    return _csv("teams.csv", sheets.teams(looked.before, looked.before.teams))


def _csv(name: str, text: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
