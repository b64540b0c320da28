"""What one can do to the members of a queue, and to who waits in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

import ami
from accounts.permissions import TargetSnapshot, UserSnapshot
from floor import registry, ringing
from floor.registry import Action, Args, Asked, Found, Kind, NoArgs, Plan, Refused, name_of
from floor.ringing import Number, allowed
from floor.words import gettext_lazy as _
from floor.words import pgettext_lazy
from live import sides
from live.pbx import Pbx
from live.queues import Caller, Member, Queue
from live.resync import CHANNELS, QUEUES
from live.sides import Side

# --- what is meant


def find_queue(pbx: Pbx, name: str) -> Found | None:
    queue = pbx.queues.queues.get(name)
    return None if queue is None else Found(pbx.key(name), 0, name, queue, Side(queue=name))


def find_member(pbx: Pbx, rest: str) -> Found | None:
    """By ``queue/interface``; an interface has a slash of its own, and a queue's name may have one."""
    for (queue, interface), member in pbx.queues.members.items():
        if rest == f"{queue}/{interface}":
            words, numbers = f"{member.name or interface} ({queue})", (sides.number(interface),)
            side = Side(numbers, queue, vouched=numbers)
            return Found(pbx.key(rest), member.rev, words, member, side, acted=numbers)
    return None


def find_caller(pbx: Pbx, uniqueid: str) -> Found | None:
    caller, channel = pbx.queues.callers.get(uniqueid), pbx.channels.get(uniqueid)
    if caller is None or channel is None:
        return None
    number, name = pbx.calls.identity(channel)
    words, acted = f"{number} {name} ({caller.queue})", sides.inside(pbx, [channel])
    side = sides.of_leg(pbx, channel)
    # Who waits there is the queue's to serve, whoever he is; what he says elsewhere is not.
    side = dataclasses.replace(side, queue=caller.queue, room="", vouched=(*side.vouched, *acted))
    return Found(pbx.key(uniqueid), caller.rev, words, caller, side, acted)


# --- arguments

Reason = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00-\x1f\x7f;|]*$")]
Penalty = Annotated[int, Field(ge=0, le=1000)]


class PauseArgs(Args):
    reason: Annotated[Reason, Asked(_("Reason"))] = ""
    everywhere: Annotated[bool, Asked(_("In all queues"))] = False
    """In all queues of this interface."""


class ResumeArgs(Args):
    everywhere: Annotated[bool, Asked(_("In all queues"))] = False


class PenaltyArgs(Args):
    penalty: Annotated[Penalty, Asked(_("Penalty"))]


class RingInUseArgs(Args):
    ring: Annotated[bool, Asked(_("Ring while on another call"))]


class AddArgs(Args):
    extension: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$"), Asked(_("Extension"), format="extension")]
    """An extension of ours that has a hint: its device becomes the member."""
    name: Annotated[Reason, Asked(_("Name"))] = ""
    penalty: Annotated[Penalty, Asked(_("Penalty"))] = 0
    paused: Annotated[bool, Asked(_("Paused"))] = False


# --- members


def _paused(paused: bool) -> Callable[[Pbx, Found, PauseArgs | ResumeArgs, UserSnapshot], Plan]:
    """Proved by QueueMemberPause, one for each queue that it is paused in."""

    def plan(pbx: Pbx, found: Found, args: PauseArgs | ResumeArgs, user: UserSnapshot) -> Plan:
        member: Member = found.subject
        reason = args.reason.strip() if isinstance(args, PauseArgs) else ""
        if args.everywhere:
            meant = [one for one in pbx.queues.members.values() if one.interface == member.interface]
            send = ami.actions.queue_pause_everywhere(member.interface, paused, reason)
        else:
            meant = [member]
            send = ami.actions.queue_pause(member.queue, member.interface, paused, reason)

        def proved(pbx: Pbx) -> bool:
            return all(
                _there(pbx, one) and one.paused is paused and (one.reason == reason or not paused) for one in meant
            )

        return Plan((send,), proved)

    return plan


def _everywhere(pbx: Pbx, found: Found, args: PauseArgs | ResumeArgs) -> Iterator[TargetSnapshot]:
    """The other memberships of this interface, where it is done to all."""
    if args.everywhere:
        for queue, interface in pbx.queues.members:
            other = find_member(pbx, f"{queue}/{interface}") if interface == found.subject.interface else None
            if other is not None:
                yield other.target("member", pbx.name)


def plan_remove(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Proved by QueueMemberRemoved. Those of queues.conf Asterisk refuses to remove."""
    member: Member = found.subject
    send = ami.actions.queue_remove(member.queue, member.interface)
    return Plan((send,), lambda pbx: (member.queue, member.interface) not in pbx.queues.members)


def plan_penalty(pbx: Pbx, found: Found, args: PenaltyArgs, user: UserSnapshot) -> Plan:
    """Proved by QueueMemberPenalty."""
    member: Member = found.subject
    send = ami.actions.queue_penalty(member.queue, member.interface, args.penalty)
    return Plan((send,), lambda pbx: _there(pbx, member) and member.penalty == args.penalty)


def plan_ring_in_use(pbx: Pbx, found: Found, args: RingInUseArgs, user: UserSnapshot) -> Plan:
    """Proved by QueueMemberRinginuse; no list tells of it."""
    member: Member = found.subject
    send = ami.actions.queue_member_ring_in_use(member.queue, member.interface, args.ring)
    return Plan((send,), lambda pbx: _there(pbx, member) and member.ring_in_use is args.ring)


def plan_add(pbx: Pbx, found: Found, args: AddArgs, user: UserSnapshot) -> Plan:
    """Proved by QueueMemberAdded."""
    queue: Queue = found.subject
    device = pbx.devices.phone_of(args.extension)
    if not device:
        raise Refused("no_extension", args.extension)
    if (queue.name, device) in pbx.queues.members:
        raise Refused("changed")
    name = args.name.strip() or args.extension
    send = ami.actions.queue_add(queue.name, device, member_name=name, penalty=args.penalty, paused=args.paused)
    return Plan((send,), lambda pbx: (queue.name, device) in pbx.queues.members)


def _there(pbx: Pbx, member: Member) -> bool:
    """Whether it is a member still: one that was removed and added anew is another."""
    return pbx.queues.members.get((member.queue, member.interface)) is member


# --- who waits


def plan_first(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Next to be served. No event tells of it: proved by a list that is read after Asterisk has answered. (Asterisk 16
    changes the priority and lets him stand where he stood, measured: that is no proof.)"""
    caller: Caller = found.subject
    queue = pbx.queues.queues[caller.queue]
    most = max(pbx.queues.callers[uniqueid].priority for uniqueid in queue.waiting)
    name = name_of(pbx, pbx.channels[caller.uniqueid])
    send = ami.actions.queue_change_priority_caller(queue.name, name, most + 1)
    reads = pbx.queues.reads

    def proved(pbx: Pbx) -> bool:
        return pbx.queues.reads > reads and queue.waiting[:1] == [caller.uniqueid]

    return Plan((send,), proved, reread=(QUEUES,))


def plan_withdraw(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Out of the queue, and on in the dialplan. Proved by QueueCallerLeave after Asterisk has said that it does it (it
    tells of an abandoned call then too, as of one who hung up)."""
    caller: Caller = found.subject
    send = ami.actions.queue_withdraw_caller(caller.queue, name_of(pbx, pbx.channels[caller.uniqueid]))
    return Plan((send,), lambda pbx: caller.left, failed=lambda pbx: _gone(pbx, caller), answered_first=True)


class SendArgs(Args):
    number: Annotated[Number, Asked(_("To number"), format="number")]


def plan_send(pbx: Pbx, found: Found, args: SendArgs, user: UserSnapshot) -> Plan:
    """Out of the queue and to this number. Proved when he has left, and a list read afterwards shows him there."""
    caller: Caller = found.subject
    return _sent(pbx, caller, allowed(pbx, args.number, user))


def plan_pull(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """To her own phone, which must be one that the PBX's extensions reach. Proved as above."""
    caller: Caller = found.subject
    phone = ringing.her_phone(user, pbx)
    number = pbx.devices.extension_of(phone)
    if not number:
        raise Refused("no_extension", phone)
    return _sent(pbx, caller, number)


def _sent(pbx: Pbx, caller: Caller, number: str) -> Plan:
    leg, reads = pbx.channels[caller.uniqueid], pbx.reads

    def there(pbx: Pbx) -> bool:
        out = pbx.queues.callers.get(caller.uniqueid) is not caller and caller.uniqueid in pbx.channels
        return out and pbx.reads > reads and (leg.exten == number or bool(leg.dials))

    send = ami.actions.redirect(caller.uniqueid, pbx.manners.context, number)
    return Plan((send,), there, reread=(CHANNELS,), failed=lambda pbx: _gone(pbx, caller))


def _gone(pbx: Pbx, caller: Caller) -> tuple[str, str] | None:
    there = pbx.queues.callers.get(caller.uniqueid) is caller
    return None if there or caller.left else ("gone", "")


PAUSE = Action("queues.pause", "member", pgettext_lazy("agent", "Pause"), _paused(True), PauseArgs, also=_everywhere)
RESUME = Action(
    "queues.resume",
    "member",
    pgettext_lazy("agent", "Resume"),
    _paused(False),
    ResumeArgs,
    granted_by="queues.pause",
    also=_everywhere,
)
ADD = Action("queues.add", "queue", pgettext_lazy("agent", "Add"), plan_add, AddArgs, granted_by="queues.members")
REMOVE = Action(
    "queues.remove",
    "member",
    pgettext_lazy("agent", "Remove from queue"),
    plan_remove,
    granted_by="queues.members",
    confirm=_("Remove this agent from the queue?"),
)
PENALTY = Action(
    "queues.penalty",
    "member",
    pgettext_lazy("agent", "Set penalty"),
    plan_penalty,
    PenaltyArgs,
    granted_by="queues.members",
)
RING_IN_USE = Action(
    "queues.ring_in_use",
    "member",
    pgettext_lazy("agent", "Ring while on another call"),
    plan_ring_in_use,
    RingInUseArgs,
    granted_by="queues.members",
)
FIRST = Action("queues.first", "waiting", _("Serve next"), plan_first, granted_by="queues.callers")
SEND = Action("queues.send", "waiting", _("Send elsewhere"), plan_send, SendArgs, granted_by="queues.callers")
PULL = Action("queues.pull", "waiting", _("Take to my phone"), plan_pull, granted_by="queues.callers", phone=True)
WITHDRAW = Action(
    "queues.withdraw",
    "waiting",
    _("Take out of the queue"),
    plan_withdraw,
    granted_by="queues.callers",
    confirm=_("Take this caller out of the queue?"),
    danger=True,
)


def register() -> None:
    """Tell the floor of the kinds and actions of queues."""
    registry.register_kind(Kind("queue", right="queues.view", find=find_queue))
    registry.register_kind(Kind("member", right="queues.view", find=find_member))
    registry.register_kind(Kind("waiting", right="queues.view", find=find_caller))
    for action in (PAUSE, RESUME, ADD, REMOVE, PENALTY, RING_IN_USE, FIRST, SEND, PULL, WITHDRAW):
        registry.register(action)
