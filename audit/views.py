"""The pages of the audit: who listened to whom, who did what; and for everybody, who listened to her."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from audit import asking, export, queries, words
from audit.forms import ActionsFilter, Filter, MonitoringFilter
from audit.models import Entry, Listening
from audit.monitoring import masked_value

PEOPLE = 500
"""Names that are offered while one types; who is not among them is found all the same."""


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("audit:monitoring" if request.user.has_perm("audit.view") else "audit:mine")


@login_required
@require_safe
def monitoring(request: HttpRequest) -> HttpResponse:
    """Who listened to whom."""
    _needs(request, "audit.view")
    form = MonitoringFilter(request.GET)
    given = form.given()
    found = queries.listenings(given)
    if "q" in given:
        found = queries.search_listenings(found, given["q"])
    page = queries.page(found, "begun", _before(request), window="q" in given)
    mask = not _sees_numbers(request)
    return _shown(request, "audit/monitoring.html", form, page, [_heard(row, mask=mask) for row in page.rows])


@login_required
@require_safe
def actions(request: HttpRequest) -> HttpResponse:
    """Who did what: intents with what came of them, denials, settings, sign-ins, the audit itself."""
    _needs(request, "audit.view")
    form = ActionsFilter(request.GET)
    given = form.given()
    found = queries.entries(given)
    if "q" in given:
        found = queries.search_entries(found, given["q"])
    page = queries.page(found, "id", _before(request), window="q" in given)
    told = queries.outcomes(page.rows)
    mask = not _sees_numbers(request)
    rows = [_done(row, told.get(row.command), mask=mask) for row in page.rows]
    return _shown(request, "audit/actions.html", form, page, rows)


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Who listened to the phones that are hers, as far as it is her business: others' numbers are masked."""
    assert isinstance(request.user, User)
    numbers = own_numbers(request.user)
    if not settings.PHOENIX_AUDIT_OWN or not numbers:
        raise PermissionDenied
    page = queries.page(queries.own(numbers), "begun", _before(request), window=False)
    rows = [_heard(row, mask=True) for row in page.rows]
    return render(request, "audit/mine.html", {"page": page, "rows": rows, "numbers": [n for _, n in numbers]})


@login_required
@require_safe
def exported(request: HttpRequest, what: str, format_: export.Format) -> StreamingHttpResponse:
    """What the filter shows, all of it, as a file."""
    _needs(request, "audit.view")
    _needs(request, "audit.export")
    form: Filter = MonitoringFilter(request.GET) if what == "monitoring" else ActionsFilter(request.GET)
    given = form.given()
    asked = {name: str(value) for name, value in given.items()}
    who = asking.who(request)
    mask = not _sees_numbers(request)
    pieces: Iterator[bytes]
    if what == "monitoring":
        heard = queries.listenings(given)
        if "q" in given:
            heard = queries.search_listenings(heard, given["q"])
        pieces = export.listenings(who, heard, format_, asked, mask=mask)
    else:
        found = queries.entries(given)
        if "q" in given:
            found = queries.search_entries(found, given["q"])
        pieces = export.entries(who, queries.whole(found, given), format_, asked, mask=mask)
    # What goes wrong with the first piece (its own entry can't be written) is an error page still.
    first = next(pieces)
    response = StreamingHttpResponse(_pieces(first, pieces), content_type=export.TYPES[format_])
    name = f"{what}-{timezone.now():%Y%m%d-%H%M%S}.{format_}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _pieces(first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    """On Django's thread for what is sync, a piece at a time: an iterator that is not async would be read whole."""
    yield first
    while piece := await sync_to_async(_next)(rest):
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")


def own_numbers(user: User) -> list[tuple[str, str]]:
    """(PBX, number) of each phone that is hers."""
    return [(pbx, dial.partition("/")[2]) for pbx, dial in user.phones.values_list("pbx", "dial_string")]


def _needs(request: HttpRequest, right: str) -> None:
    if not request.user.has_perm(right):
        raise PermissionDenied


def _sees_numbers(request: HttpRequest) -> bool:
    return request.user.has_perm("calls.numbers")


def _before(request: HttpRequest) -> int:
    text = request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _shown(
    request: HttpRequest, template: str, form: Filter, page: queries.Page, rows: list[dict[str, Any]]
) -> HttpResponse:
    asked = request.GET.copy()
    asked.pop("before", None)
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "asked": asked.urlencode(),
        "filtered": bool(form.given()),
        "people": sorted({user.name for user in User.objects.all()[:PEOPLE]}),
    }
    return render(request, template, context)


def _heard(row: Listening, *, mask: bool = False) -> dict[str, Any]:
    return {
        "row": row,
        "who": row.user_name or row.phone,
        "mode": words.MODES.get(row.mode, row.mode),
        "told": words.TOLD.get(row.told, row.told),
        "switches": [words.MODES.get(mode, mode) for mode in row.switches.split(", ") if mode],
        "others": row.others_masked if mask else row.others,
        "seconds": round((row.until - row.since).total_seconds()) if row.until is not None else None,
    }


def _done(entry: Entry, outcome: Entry | None, *, mask: bool) -> dict[str, Any]:
    last = outcome or entry
    shown = masked_value if mask else _as_it_is
    before, after = entry.args.get("before"), entry.args.get("after")
    changes = None
    if entry.kind == Entry.Kind.CHANGED and isinstance(before, dict) and isinstance(after, dict):
        changes = [(name, _plain(before.get(name)), _plain(after.get(name))) for name in {**before, **after}]
    return {
        "entry": entry,
        "what": words.verb(entry.verb),
        "outcome": last.get_outcome_display() if last.outcome else "",
        # An intent that nothing follows: its process died, or it is under way.
        "state": last.outcome or ("open" if entry.kind == Entry.Kind.INTENT else ""),
        "code": words.code(last.code) if last.code else "",
        "detail": shown(last.detail),
        "target": shown(entry.target_words),
        "changes": changes,
        "args": {name: _plain(shown(value)) for name, value in entry.args.items() if name not in ("before", "after")},
    }


def _as_it_is(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
