"""The shapes in which actions are answered: a response, an error, a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from demo.events import Header, block

if TYPE_CHECKING:
    from demo.pbx import Pbx

Item = tuple[str, tuple[Header, ...]]
"""An event of a list: its name and headers."""


class Request(dict[str, str]):
    """One action's headers by lower-case name; the last of repeated ones wins."""

    @property
    def action_id(self) -> str:
        return self.get("actionid", "")


def response(request: Request, kind: str, *headers: Header) -> bytes:
    echoed = (("ActionID", request.action_id),) if request.action_id else ()
    return block((("Response", kind), *echoed, *headers))


def success(request: Request, message: str) -> bytes:
    return response(request, "Success", ("Message", message))


def error(request: Request, message: str) -> bytes:
    return response(request, "Error", ("Message", message))


def listing(
    request: Request,
    message: str,
    items: Iterable[Item],
    complete: str,
    *figures: Header,
    last: bool = False,
    counted: int | None = None,
) -> bytes:
    """A whole list. ``figures`` end its last event; ``counted`` is how many items it claims, if not as many as come.

    Queues, parking and ``Status`` write the ActionID after an item's headers (``last``), others before (seen on 22).
    """
    echoed: tuple[Header, ...] = (("ActionID", request.action_id),) if request.action_id else ()
    parts = [response(request, "Success", ("EventList", "start"), ("Message", message))]
    for name, headers in items:
        parts.append(block((("Event", name), *headers, *echoed) if last else (("Event", name), *echoed, *headers)))
    count = ("ListItems", str(len(parts) - 1 if counted is None else counted))
    parts.append(block((("Event", complete), *echoed, ("EventList", "Complete"), count, *figures)))
    return b"".join(parts)


def true(text: str) -> bool:
    """Asterisk's own reading of yes and no (``ast_true``)."""
    return text.lower() in ("1", "true", "yes", "y", "on", "t")


Handler = Callable[["Pbx", Request], bytes]
Action = tuple[str, Handler | None]
"""How ListCommands describes an action, and who answers it; nobody here for what is the session's own."""
