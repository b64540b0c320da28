"""How the imitation answers about its queues, and how these obey."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from demo.queues import Member
from demo.replies import Action, Item, Request, error, listing, success, true

if TYPE_CHECKING:
    from demo.pbx import Pbx


def _queue_status(pbx: Pbx, request: Request) -> bytes:
    wanted, interface = request.get("queue", ""), request.get("member", "")
    items: list[Item] = []
    for queue in pbx.queues.values():
        if wanted in ("", queue.name):
            items.append(("QueueParams", queue.params()))
            members = [member for member in queue.members if interface in ("", member.interface)]
            items += [("QueueMember", member.item(pbx.state(member.device))) for member in members]
            items += [("QueueEntry", queue.entry(visit, pbx.clock())) for visit in queue.waiting]
    return listing(request, "Queue status will follow", items, "QueueStatusComplete", last=True)


def _add(pbx: Pbx, request: Request) -> bytes:
    name, interface = request.get("queue", ""), request.get("interface", "")
    if not name:
        return error(request, "'Queue' not specified.")
    if not interface:
        return error(request, "'Interface' not specified.")
    queue = pbx.queues.get(name)
    if queue is None:
        return error(request, "Unable to add interface to queue: No such queue")
    if queue.member(interface) is not None:
        return error(request, "Unable to add interface: Already there")
    member = Member(
        queue,
        request.get("membername") or interface,
        interface,
        int(pbx.clock()),
        penalty=max(0, _number(request.get("penalty", ""))),
        dynamic=True,
        state_interface=request.get("stateinterface", ""),
        paused=true(request.get("paused", "")),
        reason=request.get("reason", ""),
    )
    pbx.queueing.add(member)
    return success(request, "Added interface to queue")


def _remove(pbx: Pbx, request: Request) -> bytes:
    name, interface = request.get("queue", ""), request.get("interface", "")
    if not name or not interface:
        return error(request, "Need 'Queue' and 'Interface' parameters.")
    queue = pbx.queues.get(name)
    if queue is None:
        return error(request, "Unable to remove interface from queue: No such queue")
    member = queue.member(interface)
    if member is None:
        return error(request, "Unable to remove interface: Not there")
    if not member.dynamic:
        return error(request, "Member not dynamic")
    pbx.queueing.remove(member)
    return success(request, "Removed interface from queue")


def _pause(pbx: Pbx, request: Request) -> bytes:
    interface, paused = request.get("interface", ""), request.get("paused", "")
    if not interface or not paused:
        return error(request, "Need 'Interface' and 'Paused' parameters.")
    members = pbx.queueing.members(interface, request.get("queue", ""))
    if not members:
        return error(request, "Interface not found")
    for member in members:
        pbx.queueing.pause(member, true(paused), request.get("reason", ""))
    return success(request, f"Interface {'paused' if true(paused) else 'unpaused'} successfully")


def _penalty(pbx: Pbx, request: Request) -> bytes:
    interface, penalty = request.get("interface", ""), request.get("penalty", "")
    if not interface or not penalty:
        return error(request, "Need 'Interface' and 'Penalty' parameters.")
    members = pbx.queueing.members(interface, request.get("queue", ""))
    if not members or _number(penalty) < 0:
        return error(request, "Invalid interface, queuename or penalty")
    for member in members:
        pbx.queueing.penalize(member, _number(penalty))
    return success(request, "Interface penalty set successfully")


def _number(text: str) -> int:
    """As C's ``atoi`` reads it: what is no number is 0."""
    found = re.match(r"\s*([+-]?\d+)", text)
    return int(found[1]) if found else 0


QUEUES: Final[dict[str, Action]] = {
    "QueueAdd": ("Add interface to queue.  (Priv: agent,all)", _add),
    "QueuePause": ("Makes a queue member temporarily unavailable.  (Priv: agent,all)", _pause),
    "QueuePenalty": ("Set the penalty for a queue member.  (Priv: agent,all)", _penalty),
    "QueueRemove": ("Remove interface from queue.  (Priv: agent,all)", _remove),
    "QueueStatus": ("Show queue status.  (Priv: <none>)", _queue_status),
}
