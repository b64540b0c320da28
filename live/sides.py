"""Who of our own side is on something, and for which queue or room: what a team's part of the floor is about.

As of the last event, told yet or not: what is decided by it is done before anything else is heard.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from live.calls import Call
from live.channels import Channel

if TYPE_CHECKING:
    from live.pbx import Pbx


@dataclass(frozen=True, slots=True)
class Side:
    """One thing's."""

    numbers: tuple[str, ...] = ()
    """Extensions of ours on it."""
    queue: str = ""
    """The queue whose call it is, or that it waits in."""
    room: str = ""
    """The conference that it is in."""
    vouched: tuple[str, ...] = ()
    """Those of ``numbers`` that are there for that queue, as its members, or sit in that room."""


NOBODY: Final = Side()


def inside(pbx: Pbx, legs: Iterable[Channel]) -> tuple[str, ...]:
    """The extensions of ours at these legs, each once. "" is one that has no number: it is somebody all the same."""
    return tuple(dict.fromkeys(pbx.calls.identity(leg)[0] for leg in legs if pbx.calls.side(leg) == "internal"))


def of_call(pbx: Pbx, call: Call) -> Side:
    """A call's: of all its parties, and of who parked one of them."""
    legs = pbx.calls.around(call)
    parkers = [parked.by for leg in legs if (parked := pbx.parking.parked.get(leg.uniqueid)) is not None]
    numbers = (*inside(pbx, legs), *(number(by) for by in parkers if by and not pbx.trunks.search(by)))
    numbers = tuple(dict.fromkeys(numbers))
    if call.phase == "conference":
        return in_room(pbx, call.place[0], numbers)
    waits = next((queue for leg in legs if (queue := pbx.queues.of(leg.uniqueid))), "")
    queue = waits or call.queue
    there = members(pbx, queue)
    return Side(
        numbers,
        queue if waits or is_its_call(numbers, there) else "",
        vouched=tuple(one for one in numbers if one in there),
    )


def is_its_call(numbers: Iterable[str], members: Container[str]) -> bool:
    """Whether a call that came through a queue, and waits there no more, is that queue's still: a member of it is on
    the call, or nobody of ours (the agent may sit outside). Sent on to another than a member it is that one's."""
    numbers = [*numbers]
    return not numbers or any(number in members for number in numbers)


def of_leg(pbx: Pbx, leg: Channel) -> Side:
    """That of the call that a leg is on; of the leg alone where that is none yet."""
    call = pbx.calls.get(leg.call)
    return of_call(pbx, call) if call is not None else Side(inside(pbx, [leg]))


def heard(pbx: Pbx, leg: Channel) -> Side:
    """Of who is heard at a leg: those of its call, and in a conference all that sit there."""
    side = of_leg(pbx, leg)
    if not side.room:
        return side
    return in_room(pbx, side.room, tuple(dict.fromkeys((*side.numbers, *seated(pbx, side.room)))))


def in_room(pbx: Pbx, name: str, numbers: tuple[str, ...]) -> Side:
    """Of these extensions in a room: it vouches for those that sit there themselves."""
    there = seated(pbx, name)
    return Side(numbers, room=name, vouched=tuple(one for one in numbers if one in there))


def seated(pbx: Pbx, name: str) -> tuple[str, ...]:
    """The extensions of ours that sit in a room."""
    room = pbx.conferences.rooms.get(name)
    return () if room is None else inside(pbx, [pbx.channels[uniqueid] for uniqueid in room.members])


def members(pbx: Pbx, name: str) -> frozenset[str]:
    """The extensions that are members of a queue: an agent may be one by a phone, or by a piece of dialplan that leads
    to it while its state is the phone's."""
    queue = pbx.queues.queues.get(name)
    held = [pbx.queues.members[name, interface] for interface in queue.members] if queue is not None else []
    return frozenset(number(device) for one in held for device in (one.interface, one.state_interface) if device)


def number(device: str) -> str:
    """The extension that the name of a device has in it: ``PJSIP/101``, ``Local/101@from-queue/n``, a queue's
    ``hint:101@ext-local``."""
    name = device.removeprefix("hint:").partition("@")[0]
    return name.partition("/")[2] if "/" in name else name
