"""The addresses below `/api/v1/`. Those of actions are made from the registry: a new action is there by itself."""

# No `from __future__ import annotations`: ninja reads the annotations, some of which exist at run time only.

import json
from functools import cache
from typing import Annotated, Any

import orjson
from asgiref.sync import sync_to_async
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from ninja import NinjaAPI, Query, Router
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import Field

from accounts import explaining
from accounts.models import User
from accounts.permissions import enough, sees
from accounts.snapshots import standing_of
from accounts.views import remote_address
from api import answers, commands, schemas
from api.answers import Problem
from api.door import Door, who
from floor import hub, inquiry, registry, veil
from floor.asking import Facts
from floor.frames import CommandId
from floor.lenses import View
from floor.registry import Action

TROUBLE: dict[Any, Any] = {frozenset({400, 401, 413, 422, 429, 503}): schemas.Trouble}
RESULTS: dict[Any, Any] = {
    frozenset({200, 202, 504}): schemas.Result,
    frozenset({403, 404, 409, 422, 429, 503}): schemas.Result | schemas.Trouble,
    frozenset({400, 401, 413}): schemas.Trouble,
}

ABOUT = """State and actions of the PBXs that a Phoenix Panel shows. What the entities hold, what the codes mean, and
the stream of changes (a WebSocket) are in docs/rest.md and docs/frames.md of the project."""


class Json(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return orjson.loads(request.body)


class Rendered(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        return orjson.dumps(data)


router = Router()

KIND: Any = schemas.kinds()
KINDS: Any = list[KIND]
WAIT = Field(ge=0, le=commands.LONGEST_WAIT_S, description="For so many seconds at most; 0: not at all.")


def only(request: HttpRequest, *names: str) -> None:
    """A parameter that is none of ours is most likely one of ours, misspelt."""
    unknown = sorted(set(request.GET) - set(names))
    if unknown:
        raise Problem(422, "bad_request", f"There is no parameter {unknown[0][:60]!r} here.")


# --- state


@router.get("/me", response={200: schemas.Me, **TROUBLE}, summary="Who am I, and what may I do?")
async def me(request: HttpRequest) -> HttpResponse:
    only(request)
    came = who(request)
    with translation.override(came.user.language):
        actions = registry.described_for(came.user.rights)
    phones = {pbx: dial_string.partition("/")[2] for pbx, dial_string in came.user.phones}
    return answers.json(
        200,
        {
            "user": {"id": came.user.id, "name": came.user.name, "phones": phones},
            "token": {
                "name": came.name,
                "expires": round(came.expires.timestamp() * 1000),
                "rights": sorted(came.granted),
            },
            "rights": sorted(came.user.rights),
            "actions": actions,
        },
    )


@router.get("/pbxs", response={200: schemas.Pbxs, **TROUBLE}, summary="The PBXs, and how true their pictures are")
async def pbxs(request: HttpRequest) -> HttpResponse:
    only(request)
    here = hub.current()
    return answers.json(200, {"pbxs": [here.told(name) for name in here.pbxs(View.of(who(request).user))]})


@router.get(
    "/state",
    response={200: schemas.State, frozenset({403, 404}): schemas.Trouble, **TROUBLE},
    summary="All that is true now",
)
async def state(
    request: HttpRequest,
    pbx: Annotated[str, Field(max_length=64, description="Of this PBX only")] = "",
    kind: Annotated[KINDS, Query(description="Of these kinds only; it may be given more than once")] = [],  # noqa: B006
) -> HttpResponse:
    """One consistent picture for each PBX: calls and their parties are of the same moment. Kinds that the token's
    rights don't show are left out, and are a 403 when asked for."""
    only(request, "pbx", "kind")
    view = View.of(who(request).user)
    wanted = frozenset(kind) or view.kinds
    if wanted - view.kinds:
        raise Problem(403, "no_right", f"This token doesn't show entities of kind {min(wanted - view.kinds)}.")
    here = hub.current()
    names = [pbx] if pbx else here.pbxs(view)
    if pbx and not here.has(pbx, view):
        raise Problem(404, "pbx_unknown", "There is no PBX of this name.")
    pictures = [
        orjson.dumps(here.told(name))[:-1] + b',"up":' + here.entities(name, view, wanted) + b"}" for name in names
    ]
    return answers.json(200, b'{"pbxs":[%b]}' % b",".join(pictures))


@router.get(
    "/state/{kind}/{path:key}",
    response={200: schemas.One, frozenset({403, 404}): schemas.Trouble, **TROUBLE},
    summary="One entity",
)
async def one(request: HttpRequest, kind: KIND, key: str) -> HttpResponse:
    only(request)
    view = View.of(who(request).user)
    if kind not in view.kinds:
        raise Problem(403, "no_right", f"This token doesn't show entities of kind {kind}.")
    here = hub.current()
    entity = here.entity(view, kind, key)
    if entity is None:
        raise Problem(404, "gone", "There is no such entity now.")
    return answers.json(200, {**(here.told(key.partition("/")[0]) or {}), "kind": kind, "key": key, "entity": entity})


# --- commands


@router.get(
    "/commands/{id}",
    response={**RESULTS, frozenset({403, 404}): schemas.Result | schemas.Trouble},
    summary="What became of a command",
)
async def command(request: HttpRequest, id: CommandId) -> HttpResponse:
    """Answers as the command itself did, or would now."""
    only(request)
    return answers.outcome(await commands.what_became(who(request), id))


def offer(action: Action) -> None:
    """The operation of one action."""
    body_type: Any = schemas.body_of(action)

    async def act(
        request: HttpRequest,
        body: body_type,
        wait: Annotated[float | None, WAIT] = None,
    ) -> HttpResponse:
        only(request, "wait")
        if "respond-async" in request.headers.get("Prefer", ""):
            wait = 0.0
        said = body.model_dump(mode="json", exclude_unset=True)
        came = who(request)
        found = await commands.perform(came, remote_address(request), action.verb, action.target, said, wait)
        return answers.outcome(found)

    with translation.override("en"):
        summary = str(action.label)
    needs = "one of the rights " if len(enough(action.right)) > 1 else "the right "
    router.post(
        f"/actions/{action.verb}",
        response=RESULTS,
        operation_id=action.verb,
        summary=f"{summary} ({action.target})",
        description=f"Needs {needs}{', '.join(sorted(enough(action.right)))}."
        + (" Rings the phone of the token's owner." if action.phone else ""),
        tags=["actions"],
    )(act)


for registered in registry.ACTIONS.values():
    offer(registered)


@router.get(
    "/explain",
    response={200: schemas.Why, frozenset({403, 404}): schemas.Trouble, **TROUBLE},
    summary="Why may somebody do something now, or can't?",
)
async def explain(
    request: HttpRequest,
    user: Annotated[str, Field(max_length=150, description="What she signs in with")],
    verb: Annotated[str, Field(max_length=64, description="As `calls.whisper`")],
    target: Annotated[str, Field(min_length=1, max_length=200, description="Its key; or `office/204`: who that is")],
) -> HttpResponse:
    """Of actions that need arguments, whether they may be used at all. Needs the right accounts.roles."""
    only(request, "user", "verb", "target")
    came = who(request)
    if "accounts.roles" not in came.user.rights:
        raise Problem(403, "no_right", "This token does not explain what others may do.")
    action = registry.ACTIONS.get(verb)
    if action is None:
        raise Problem(422, "bad_request", "There is no such action.")
    standing = await sync_to_async(_standing)(user)
    if standing is None:
        raise Problem(404, "gone", "There is no such user.")
    pbx, _, text = target.partition("/")
    if not hub.current().has(pbx, View.of(came.user)):
        raise Problem(404, "pbx_unknown", "There is no PBX of this name.")
    facts = await inquiry.ask(action, pbx, text or pbx, standing.user)
    if facts.target is not None and not sees(came.user.scope, facts.target):
        facts = Facts()  # as if it were not there, to who asks
    words = veil.scrub(facts.words) if View.of(came.user).masked else facts.words
    with translation.override(came.user.language):
        why = explaining.explain(standing, action.right, facts.target, state=facts.state)
    return answers.json(200, {"allowed": why.allowed, "code": why.code, "reasons": [*why.reasons], "words": words})


def _standing(name: str) -> explaining.Standing | None:
    user = User.objects.filter(username=name).first()
    return None if user is None else standing_of(user)


# --- the whole


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: HttpRequest) -> HttpResponse:
    return answers.json(200, _described())


@cache
def _described() -> bytes:
    """The registry is whole before the first request comes, and stays as it is."""
    return json.dumps(api.get_openapi_schema()).encode()


api = NinjaAPI(
    title="Phoenix Panel",
    version="1",
    description=ABOUT,
    openapi_url=None,  # ours asks for a token, as all else: building it is work
    docs_url=None,  # its pages come from elsewhere, which our policy forbids
    auth=Door(),
    parser=Json(),
    renderer=Rendered(),
    urls_namespace="api",
)
api.add_router("", router)


@api.exception_handler(Problem)
def problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return error.response()


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Where and why, without what was sent: it may be anything."""
    said = [f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}" for fault in error.errors]
    return Problem(422, "bad_request", "; ".join(said)[:500]).response()


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return Problem(error.status_code, "bad_request", "The body is no JSON.").response()


@api.exception_handler(Error)
def no_database(request: HttpRequest, error: Error) -> HttpResponse:
    return Problem(503, "database_unavailable", "The panel's database can't be asked now.", wait=5).response()
