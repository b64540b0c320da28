"""How queues of the imitation move: join, offer, answer, refuse, abandon, complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.channels import Channel
from demo.events import Header
from demo.queues import Member, Queue, Waiting

if TYPE_CHECKING:
    from demo.pbx import Pbx

RETRY_S: Final = 1.0
"""``retry`` of ``queues.conf``: how long after a member has become free a queue tries again."""


class Queueing:
    """Callers to members, longest waiting first, longest idle first."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx

    # --- members

    def configure(self, queue: Queue, interface: str, name: str) -> Member:
        """A member that is there from the beginning."""
        member = Member(queue, name, interface, int(self._pbx.clock()))
        queue.members.append(member)
        self._pbx.devices.know(member.pause_device, "NOT_INUSE")
        return member

    def add(self, member: Member) -> None:
        """Somebody begins to serve."""
        member.queue.members.append(member)
        if member.paused:
            member.last_pause = member.login
        self._pbx.devices.tell(member.pause_device, "INUSE" if member.paused else "NOT_INUSE")
        self._told("QueueMemberAdded", member)
        self.look()

    def remove(self, member: Member) -> None:
        """He serves no more; a call that he talks on goes on."""
        member.queue.members.remove(member)
        self._told("QueueMemberRemoved", member)
        self._pbx.devices.tell(member.pause_device, "NOT_INUSE")
        self._pbx.settle()

    def pause(self, member: Member, paused: bool, reason: str = "") -> None:
        """He is offered nothing until he is back; one who is already so is told of again, as in Asterisk."""
        member.paused, member.reason = paused, reason
        if paused:
            member.last_pause = int(self._pbx.clock())
        self._pbx.devices.tell(member.pause_device, "INUSE" if paused else "NOT_INUSE")
        self._told("QueueMemberPause", member)
        self.look()

    def penalize(self, member: Member, penalty: int) -> None:
        member.penalty = penalty
        self._told("QueueMemberPenalty", member)

    def members(self, interface: str, queue: str = "") -> list[Member]:
        """Who serves by this interface, in all queues or in this one."""
        found = (one.member(interface) for one in self._pbx.queues.values() if queue in ("", one.name))
        return [member for member in found if member is not None]

    def is_free(self, member: Member) -> bool:
        return not member.paused and self._pbx.state(member.device) == "NOT_INUSE"

    def device_changed(self, device: str, state: str) -> None:
        """Each member at this device is in another state now."""
        for queue in self._pbx.queues.values():
            for member in queue.members:
                if member.device == device:
                    self._pbx.emit("QueueMemberStatus", *member.event(state), cls="agent")
                    if state == "NOT_INUSE":
                        self._pbx.later(RETRY_S, self.look)

    def _told(self, name: str, member: Member) -> None:
        self._pbx.emit(name, *member.event(self._pbx.state(member.device)), cls="agent")

    # --- callers

    def join(self, channel: Channel, queue: Queue) -> None:
        """A caller enters and hears music."""
        pbx = self._pbx
        channel.application, channel.data = "Queue", f"{queue.name},tT,,,300"
        visit = channel.waits = Waiting(queue, channel, pbx.clock(), len(queue.waiting) + 1)
        queue.waiting.append(visit)
        self._emit("QueueCallerJoin", channel, *self._place(visit), ("Count", str(len(queue.waiting))))
        pbx.music(channel, True)
        pbx.people.waits(channel)
        self.serve()

    def serve(self) -> None:
        """Offer every caller that nobody rings for to a member that is free."""
        for queue in self._pbx.queues.values():
            for visit in [*queue.waiting]:
                if visit.leg is None and visit.channel.alive:
                    member = self._free(queue)
                    if member is not None:
                        self._offer(visit, member)

    def _free(self, queue: Queue) -> Member | None:
        free = [member for member in queue.members if self.is_free(member)]
        return min(free, key=lambda member: (member.penalty, member.last_offer), default=None)

    def _offer(self, visit: Waiting, member: Member) -> None:
        pbx, caller = self._pbx, visit.channel
        exten = member.interface.partition("/")[2]
        leg = pbx.new_channel(member.interface, exten, member.name, "s", linkedid=caller.linkedid)
        leg.application, leg.data = "AppQueue", "(Outgoing Line)"
        leg.caller, leg.served, caller.callee = caller, visit, leg
        visit.leg, visit.member, visit.offered = leg, member, pbx.clock()
        member.last_offer = pbx.clock()
        pbx.emit("Newchannel", *leg.snapshot())
        newborn = leg.snapshot(
            "Dest"
        )  # what DialBegin mostly shows, though AgentCalled, before it, shows more (seen on 22)
        leg.exten = caller.exten
        leg.connected_number, leg.connected_name = caller.number, caller.caller_name
        self._emit("AgentCalled", caller, *leg.snapshot("Dest"), *self._agent(visit))
        pbx.emit("DialBegin", *caller.snapshot(), *newborn, ("DialString", member.interface))
        pbx.emit("NewConnectedLine", *leg.snapshot())
        pbx.ring(leg)
        pbx.settle()

    def answered(self, visit: Waiting, leg: Channel, *, picked_up: bool = False) -> None:
        """A member has answered (or somebody has picked the ringing call up in his place)."""
        pbx, caller, queue, member = self._pbx, visit.channel, visit.queue, visit.member
        assert member is not None
        visit.leg, visit.answered = leg, pbx.clock()
        held = visit.answered - visit.joined
        if not picked_up:
            caller.connected_number, caller.connected_name = leg.number, leg.caller_name
            pbx.emit("NewConnectedLine", *caller.snapshot())
            member.in_call = True
        pbx.music(caller, False)
        self._leave(visit)
        queue.in_time += held <= queue.service_level
        queue.holdtime = (3 * queue.holdtime + round(held)) // 4
        times = (("HoldTime", str(round(held))), ("RingTime", str(round(visit.answered - visit.offered))))
        self._emit("AgentConnect", caller, *leg.snapshot("Dest"), *self._agent(visit), *times)
        pbx.bridge(caller, leg)

    def refused(self, visit: Waiting, leg: Channel) -> None:
        """The member that rings does not want the call; the next one is tried after a while."""
        rung = round((self._pbx.clock() - visit.offered) * 1000)
        self._emit(
            "AgentRingNoAnswer",
            visit.channel,
            *leg.snapshot("Dest"),
            *self._agent(visit),
            ("RingTime", str(rung // 1000 * 1000)),
        )
        visit.leg = visit.channel.callee = None
        leg.served = leg.caller = None

    def abandon(self, visit: Waiting, cause: int) -> None:
        """The caller is gone before anybody answered."""
        pbx, caller, queue, leg = self._pbx, visit.channel, visit.queue, visit.leg
        pbx.music(caller, False)
        if leg is not None:
            pbx.dial_end(leg, "CANCEL")
            pbx.dial_end(leg, "CANCEL")  # twice indeed (seen on 22)
        held = pbx.clock() - visit.joined
        queue.abandoned += 1
        queue.abandoned_in_time += held <= queue.service_level
        self._emit(
            "QueueCallerAbandon",
            caller,
            *self._place(visit),
            ("OriginalPosition", str(visit.original)),
            ("HoldTime", str(round(held))),
        )
        self._leave(visit)
        if not caller.originated:
            pbx.emit("SoftHangupRequest", *caller.snapshot(), ("Cause", "16"))
        if leg is not None:
            leg.served = leg.caller = None
            pbx.end(leg, 0)
        pbx.end(caller, cause)

    def withdraw(self, visit: Waiting) -> None:
        """The caller is sent elsewhere while he waits; Asterisk counts it as given up."""
        pbx, caller, queue, leg = self._pbx, visit.channel, visit.queue, visit.leg
        if leg is not None:
            pbx.dial_end(leg, "CANCEL")
        held = pbx.clock() - visit.joined
        queue.abandoned += 1
        queue.abandoned_in_time += held <= queue.service_level
        self._emit(
            "QueueCallerAbandon",
            caller,
            *self._place(visit),
            ("OriginalPosition", str(visit.original)),
            ("HoldTime", str(round(held))),
        )
        self._leave(visit)
        caller.callee = None
        if leg is not None:
            leg.served = leg.caller = None
            pbx.end(leg, 0)

    def completed(self, visit: Waiting, reason: str) -> None:
        """The talk is over: by the "agent", the "caller", or a "transfer"."""
        assert visit.leg is not None
        dest = visit.leg.snapshot("Dest")
        self.counted(visit)
        self._complete(visit, reason, *dest)

    def counted(self, visit: Waiting) -> None:
        """The member is free again, and has one call more."""
        leg, member, queue = visit.leg, visit.member, visit.queue
        assert leg is not None
        assert member is not None
        now = self._pbx.clock()
        member.in_call = False
        member.calls_taken += 1
        member.last_call = int(now)
        queue.completed += 1
        queue.talktime = (3 * queue.talktime + round(now - visit.answered)) // 4
        leg.served = None

    def closed(self, channel: Channel) -> None:
        """The caller hangs up, long after his member did (seen on 22: without the member's channel)."""
        visit, channel.outlived = channel.outlived, None
        if visit is not None:
            self._complete(visit, "caller")

    def _complete(self, visit: Waiting, reason: str, *dest: Header) -> None:
        times = (
            ("HoldTime", str(round(visit.answered - visit.joined))),
            ("TalkTime", str(round(self._pbx.clock() - visit.answered))),
        )
        self._emit("AgentComplete", visit.channel, *dest, *self._agent(visit), *times, ("Reason", reason))

    def look(self) -> None:
        """See who can be served now, and tell what came of it."""
        self.serve()
        self._pbx.settle()

    def _leave(self, visit: Waiting) -> None:
        place = self._place(visit)
        visit.queue.waiting.remove(visit)
        visit.channel.waits = None
        self._emit("QueueCallerLeave", visit.channel, *place, ("Count", str(len(visit.queue.waiting))))

    def _emit(self, name: str, caller: Channel, *headers: Header) -> None:
        self._pbx.emit(name, *caller.snapshot(), *headers, cls="agent")

    @staticmethod
    def _place(visit: Waiting) -> tuple[Header, ...]:
        return (("Queue", visit.queue.name), ("Position", str(visit.queue.waiting.index(visit) + 1)))

    @staticmethod
    def _agent(visit: Waiting) -> tuple[Header, ...]:
        assert visit.member is not None
        return (
            ("Queue", visit.queue.name),
            ("Interface", visit.member.interface),
            ("MemberName", visit.member.name),
        )
