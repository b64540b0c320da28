"""The switch of the imitation: channels, dials, bridges, hang-ups, devices.

Nothing here waits: each method is one thing that happens, and emits what Asterisk 22 would. When things happen is
decided by who calls (``scenario``, an action, a test), by the hooks, and by ``later``, the only clock-work in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from demo.channels import (
    BUSY,
    CAUSES,
    DOWN,
    ELSEWHERE,
    INTERWORKING,
    NORMAL,
    RING,
    RINGING,
    UP,
    Bridge,
    Channel,
)
from demo.events import SYSTEM, Class, Event, Header
from demo.originating import Originating
from demo.queueing import RETRY_S, Queueing
from demo.queues import Member, Queue
from demo.seats import Seats

INTERNAL: Final = "from-internal"
HINTS: Final = {
    "NOT_INUSE": ("0", "Idle"),
    "INUSE": ("1", "InUse"),
    "BUSY": ("2", "Busy"),
    "UNAVAILABLE": ("4", "Unavailable"),
    "RINGING": ("8", "Ringing"),
    "RINGINUSE": ("9", "InUse&Ringing"),
    "ONHOLD": ("16", "Hold"),
}
"""A device's state as the hint of its extension says it."""


class Timer(Protocol):
    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]
"""``later(seconds, call)``: the loop's ``call_later``, or something quicker."""


@dataclass(slots=True)
class Phone:
    """One registered phone, and the extension that is its own."""

    exten: str
    name: str
    registered: bool = True

    @property
    def device(self) -> str:
        return f"PJSIP/{self.exten}"


class People(Protocol):
    """Who uses the PBX: told what happens to them, so that they may do something later."""

    def rings(self, leg: Channel) -> None: ...
    def talks(self, caller: Channel, callee: Channel) -> None: ...
    def waits(self, caller: Channel) -> None: ...
    def sits(self, channel: Channel) -> None: ...


class Nobody:
    """People who do nothing by themselves."""

    def rings(self, leg: Channel) -> None:
        pass

    def talks(self, caller: Channel, callee: Channel) -> None:
        pass

    def waits(self, caller: Channel) -> None:
        pass

    def sits(self, channel: Channel) -> None:
        pass


class Pbx:
    """One imitated PBX. ``emit`` takes every event; ``clock`` gives seconds of UTC; ``token`` makes bridge ids."""

    def __init__(
        self, emit: Callable[[Event], None], clock: Callable[[], float], later: Later, token: Callable[[], str]
    ) -> None:
        self.clock, self.later = clock, later
        self.people: People = Nobody()
        self.phones: dict[str, Phone] = {}
        self.trunks: list[str] = []
        self.queues: dict[str, Queue] = {}
        self.rooms: frozenset[str] = frozenset()
        """Extensions that lead into a conference of the same name."""
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.booted = clock()
        self.processed = 0
        """Calls since the start, for CoreStatus."""
        self.queueing = Queueing(self)
        self.seats = Seats(self)
        self.originating = Originating(self)
        self._emit, self._token = emit, token
        self._number = 0
        self._states: dict[str, str] = {}

    # --- what it has

    def add_phone(self, exten: str, name: str, *, registered: bool = True) -> Phone:
        phone = self.phones[exten] = Phone(exten, name, registered)
        self._states[phone.device] = "NOT_INUSE" if registered else "UNAVAILABLE"
        return phone

    def add_trunk(self, device: str) -> None:
        self.trunks.append(device)
        self._states[device] = "NOT_INUSE"

    def add_queue(self, name: str, exten: str, members: Iterable[str]) -> Queue:
        """A queue, and the phones' extensions that serve it."""
        queue = self.queues[name] = Queue(name, exten)
        for member in members:
            phone = self.phones[member]
            queue.members.append(Member(queue, phone.name, phone.device, int(self.booted)))
        queue.said_available = self._available(queue)
        return queue

    def find(self, text: str) -> Channel | None:
        """The channel of this Uniqueid or exact name."""
        found = self.channels.get(text)
        return found or next((channel for channel in self.channels.values() if channel.name == text), None)

    def state(self, device: str) -> str:
        """A device's state, of those in ``queues.STATUS``."""
        phone = self.phones.get(device.partition("/")[2])
        if phone is not None and not phone.registered:
            return "UNAVAILABLE"
        legs = [channel for channel in self.channels.values() if channel.device == device and channel.state != DOWN]
        rings = any(leg.state == RINGING for leg in legs)
        busy = [leg for leg in legs if leg.state != RINGING]
        if rings:
            return "RINGINUSE" if busy else "RINGING"
        if not busy:
            return "NOT_INUSE"
        # Held from the other side: the device that hears the music is the one called on hold (seen on 22).
        return "ONHOLD" if all(leg.music and leg.bridge for leg in busy) else "INUSE"

    def exists(self, exten: str) -> bool:
        """Whether the dialplan knows what to do with it."""
        return bool(
            exten in self.phones
            or exten in self.rooms
            or any(queue.exten == exten for queue in self.queues.values())
            or (self.trunks and exten.startswith("0") and exten[1:].removeprefix("+").isdigit() and len(exten) > 3)
        )

    # --- what happens

    def emit(self, name: str, *headers: Header, cls: Class = "call") -> None:
        self._emit(Event(name, cls, headers))

    def incoming(self, device: str, number: str, name: str, exten: str, context: str = INTERNAL) -> Channel:
        """Somebody calls: a phone dials, or a trunk brings a call. The dialplan takes it from there."""
        channel = self.new_channel(device, number, name, exten, context)
        channel.state = RING
        self.processed += 1
        self.emit("Newchannel", *channel.snapshot())
        channel.context = INTERNAL
        self.enter(channel, exten)
        self.settle()
        return channel

    def new_channel(
        self,
        device: str,
        number: str,
        name: str,
        exten: str,
        context: str = INTERNAL,
        uniqueid: str = "",
        linkedid: str = "",
    ) -> Channel:
        now = self.clock()
        uniqueid = uniqueid or f"{SYSTEM}-{int(now)}.{self._number}"
        channel = Channel(
            name=f"{device}-{self._number:08x}",
            uniqueid=uniqueid,
            device=device,
            number=number,
            caller_name=name,
            context=context,
            exten=exten,
            linkedid=linkedid or uniqueid,
            created=now,
        )
        self._number += 1
        self.channels[uniqueid] = channel
        return channel

    def enter(self, channel: Channel, exten: str) -> None:
        """Run the dialplan's extension. One that does not exist hangs the channel up."""
        queue = next((queue for queue in self.queues.values() if queue.exten == exten), None)
        if exten in self.phones:
            self._dial_phone(channel, self.phones[exten])
        elif queue is not None:
            self.pick_up(channel)
            channel.priority = 2
            self.queueing.join(channel, queue)
        elif exten in self.rooms:
            self.pick_up(channel)
            channel.priority = 2
            self.seats.join(channel, exten)
        elif self.exists(exten):
            trunk = self.trunks[self._number % len(self.trunks)]
            self._dial(channel, trunk, f"{exten[1:]}@{trunk.partition('/')[2]}", exten[1:], "")
        else:
            self._end(channel, NORMAL)

    def pick_up(self, channel: Channel) -> None:
        """Answer a caller that still hears ringing."""
        if channel.state != UP:
            channel.state, channel.answered = UP, self.clock()
            self.emit("Newstate", *channel.snapshot())

    def _dial_phone(self, caller: Channel, phone: Phone) -> None:
        if self.state(phone.device) == "UNAVAILABLE":
            self._finish(caller, NORMAL)
            return
        self._dial(caller, phone.device, phone.exten, phone.exten, phone.name)

    def _dial(self, caller: Channel, device: str, string: str, number: str, name: str) -> None:
        caller.priority = 2
        caller.application, caller.data = "Dial", f"PJSIP/{string},30,tT"
        leg = self.new_channel(device, number, name, "s", linkedid=caller.linkedid)
        leg.application, leg.data = "AppDial", "(Outgoing Line)"
        leg.caller, caller.callee = caller, leg
        self.emit("Newchannel", *leg.snapshot())
        leg.exten = caller.exten
        leg.connected_number, leg.connected_name = caller.number, caller.caller_name
        self.emit("NewConnectedLine", *leg.snapshot())
        self.emit("DialBegin", *caller.snapshot(), *leg.snapshot("Dest"), ("DialString", string))
        caller.connected_number, caller.connected_name = leg.number, leg.caller_name
        self.emit("NewConnectedLine", *caller.snapshot())
        self.ring(leg)

    def ring(self, leg: Channel) -> None:
        """The far end rings."""
        source = leg.caller.snapshot() if leg.caller is not None else ()
        leg.state = RINGING
        self.emit("Newstate", *leg.snapshot())
        self.emit("DialState", *source, *leg.snapshot("Dest"), ("DialStatus", "RINGING"))
        self.people.rings(leg)

    def answer(self, leg: Channel) -> None:
        """Whoever rings picks up. Does nothing on a leg that does not ring."""
        if leg.state != RINGING or not leg.alive:
            return
        leg.state, leg.answered = UP, self.clock()
        self.emit("Newstate", *leg.snapshot())
        caller = leg.caller
        if caller is None:
            self.dial_end(leg, "ANSWER")
            self.originating.answered(leg)
        elif leg.served is not None:
            self.dial_end(leg, "ANSWER")
            self.queueing.answered(leg.served, leg)
        else:
            leg.exten = ""
            self.dial_end(leg, "ANSWER")
            self.pick_up(caller)
            self.bridge(caller, leg)
        self.settle()

    def dial_end(self, leg: Channel, status: str) -> None:
        source = leg.caller.snapshot() if leg.caller is not None else ()
        self.emit("DialEnd", *source, *leg.snapshot("Dest"), ("DialStatus", status))

    def bridge(self, caller: Channel, leg: Channel) -> None:
        """Bring two together; the callee enters first."""
        bridge = Bridge(self._token())
        self.bridges[bridge.uniqueid] = bridge
        self.emit("BridgeCreate", *bridge.headers())
        leg.linkedid = caller.linkedid
        for channel in (leg, caller):
            self.bridge_enter(bridge, channel)
        self.people.talks(caller, leg)

    def new_bridge(self, name: str) -> Bridge:
        """A conference's bridge, with the announcer that no list shows."""
        bridge = Bridge(self._token(), "base", "softmix", "ConfBridge", name)
        self.bridges[bridge.uniqueid] = bridge
        self.emit("BridgeCreate", *bridge.headers())
        bridge.hidden = 1
        return bridge

    def bridge_enter(self, bridge: Bridge, channel: Channel) -> None:
        bridge.members.append(channel)
        channel.bridge = bridge
        self.emit("BridgeEnter", *bridge.headers(), *channel.snapshot())

    def bridge_leave(self, channel: Channel) -> None:
        bridge = channel.bridge
        if bridge is None:
            return
        bridge.members.remove(channel)
        channel.bridge = None
        self.emit("BridgeLeave", *bridge.headers(), *channel.snapshot())

    def bridge_destroy(self, bridge: Bridge) -> None:
        bridge.hidden = 0
        del self.bridges[bridge.uniqueid]
        self.emit("BridgeDestroy", *bridge.headers())

    def hold(self, channel: Channel) -> None:
        """The phone's hold key: the other side hears music."""
        other = channel.talks_with
        if other is None or channel.holding:
            return
        channel.holding = True
        self.emit("Hold", *channel.snapshot(), ("MusicClass", "default"))
        self.music(other, True)
        self.settle()

    def unhold(self, channel: Channel) -> None:
        other = channel.talks_with
        if other is None or not channel.holding:
            return
        channel.holding = False
        self.emit("Unhold", *channel.snapshot())
        self.music(other, False)
        self.settle()

    def music(self, channel: Channel, on: bool) -> None:
        if channel.music is not on:
            channel.music = on
            if on:
                self.emit("MusicOnHoldStart", *channel.snapshot(), ("Class", "default"))
            else:
                self.emit("MusicOnHoldStop", *channel.snapshot())

    def transfer(self, agent: Channel, exten: str) -> bool:
        """The agent's transfer key, blindly: his caller goes on to another extension, he is out of it.

        False when he is in no call that can be passed on, or the extension does not exist.
        """
        customer, bridge = agent.talks_with, agent.bridge
        if bridge is None or customer is None or customer is not agent.caller or not self.exists(exten):
            return False
        self.emit("Unhold", *agent.snapshot())
        agent.holding = False
        self.emit(
            "BlindTransfer",
            ("Result", "Success"),
            *agent.snapshot("Transferer"),
            *customer.snapshot("Transferee"),
            *bridge.headers(),
            ("IsExternal", "Yes"),
            ("Context", INTERNAL),
            ("Extension", exten),
        )
        if agent.served is not None:
            self.queueing.completed(agent.served, "transfer")
        self.music(customer, False)
        self.bridge_leave(agent)
        customer.exten, customer.priority, customer.callee = exten, 1, None
        self.bridge_leave(customer)
        self.bridge_destroy(bridge)
        agent.caller = None
        self._end(agent, NORMAL)
        self.enter(customer, exten)
        self.settle()
        return True

    # --- the end

    def hangup(self, channel: Channel, cause: int | None = None) -> None:
        """Somebody hangs up: the phone itself (``cause`` None), or the action, with the cause that it gives (0 none).

        What becomes of the other side follows from where the channel is.
        """
        if not channel.alive:
            return
        by_phone = cause is None
        if channel.sits is not None:
            self._request(channel, by_phone)
            self.seats.leave(channel.sits, NORMAL)
        elif channel.bridge is not None:
            self._hangup_talk(channel, by_phone)
        elif channel.waits is not None:
            self._request(channel, by_phone)
            self.queueing.abandon(channel.waits, cause or 0)
        elif channel.state == RINGING:
            self._refuse(channel, cause)
        elif channel.callee is not None and channel.callee.state in (DOWN, RINGING):
            self._cancel(channel, cause)
        else:
            self._request(channel, by_phone)
            if not channel.originated:
                self.emit("SoftHangupRequest", *channel.snapshot(), ("Cause", str(NORMAL)))
            self._end(channel, cause or 0)
        self.settle()

    def _request(self, channel: Channel, by_phone: bool) -> None:
        if by_phone:
            # With a cause only where Dial has set one (seen on 22: none in queues and conferences).
            dialled = channel.caller or channel.callee
            in_queue = channel.served is not None or (channel.callee is not None and channel.callee.served is not None)
            cause = (("Cause", str(NORMAL)),) if dialled is not None and not in_queue else ()
            self.emit("HangupRequest", *channel.snapshot(), *cause)

    def _hangup_talk(self, channel: Channel, by_phone: bool) -> None:
        other, bridge = channel.talks_with, channel.bridge
        assert bridge is not None
        assert other is not None
        caller, callee = (other, channel) if channel.caller is other else (channel, other)
        self._request(channel, by_phone)
        if callee.served is not None:
            self.queueing.completed(callee.served, "agent" if channel is callee else "caller")
        for one in (channel, other):
            self.music(one, False)
            self.bridge_leave(one)
        self.bridge_destroy(bridge)
        self.emit("SoftHangupRequest", *caller.snapshot(), ("Cause", str(NORMAL)))
        self._end(channel, NORMAL)
        self._end(other, NORMAL)

    def _refuse(self, leg: Channel, cause: int | None) -> None:
        """A ringing leg ends without an answer: refused by the phone, or hung up by the action."""
        by_phone, caller = cause is None, leg.caller
        leg.cause = BUSY if cause is None else cause
        if by_phone:
            leg.tech_cause = "486"
            self.emit("HangupRequest", *leg.snapshot(), ("Cause", str(BUSY)), ("TechCause", "486"))
        if leg.served is not None:
            self.dial_end(leg, "NOANSWER")
            self.queueing.refused(leg.served, leg)
            self._end(leg, leg.cause)
            return
        self.dial_end(leg, "BUSY" if by_phone else "NOANSWER")
        if caller is None:
            self.originating.failed(leg, "0")
            self._end(leg, leg.cause if by_phone else 0)
            return
        self._end(leg, leg.cause)
        caller.priority, caller.tech_cause = 3, leg.tech_cause
        self._finish(caller, leg.cause)

    def _finish(self, caller: Channel, cause: int) -> None:
        """The dialplan's own end of a call."""
        if not caller.originated:
            self.emit("SoftHangupRequest", *caller.snapshot(), ("Cause", str(NORMAL)))
        self._end(caller, cause)

    def _cancel(self, caller: Channel, cause: int | None) -> None:
        """A caller gives up while the other side rings."""
        leg = caller.callee
        assert leg is not None
        tech: tuple[Header, ...] = ()
        if cause is None:
            cause, tech, leg.tech_cause = INTERWORKING, (("TechCause", "487"),), "500"
            caller.tech_cause = "487"
            self.emit("HangupRequest", *caller.snapshot(), ("Cause", str(INTERWORKING)), *tech)
        self.dial_end(leg, "CANCEL")
        if not caller.originated:
            self.emit("SoftHangupRequest", *caller.snapshot(), ("Cause", str(NORMAL)), *tech)
        self._end(caller, cause)
        self._end(leg, cause)

    def picked_up(self, taker: Channel, target: Channel) -> None:
        """``PickupChan``: the taker's leg takes the place of a ringing one."""
        caller = target.caller
        assert caller is not None
        taker.connected_number, taker.connected_name = caller.number, caller.caller_name
        self.emit("NewConnectedLine", *taker.snapshot())
        self.emit("Pickup", *taker.snapshot(), *target.snapshot("Target"))
        caller.connected_number, caller.connected_name = taker.number, taker.caller_name
        self.emit("NewConnectedLine", *caller.snapshot())
        target.exten = "s"  # the masquerade leaves the taker's extension on what it replaces
        target.caller = None
        taker.application, taker.data, taker.originated = "AppDial", "(Outgoing Line)", False
        taker.caller, caller.callee = caller, taker
        served, target.served = target.served, None
        self._end(target, ELSEWHERE)
        if served is not None:
            taker.served, taker.exten = served, caller.exten
            self.queueing.answered(served, taker, picked_up=True)
        else:
            taker.exten = ""
            self.dial_end(taker, "ANSWER")
            self.pick_up(caller)
            self.bridge(caller, taker)

    def end(self, channel: Channel, cause: int) -> None:
        """The channel is no more (for the other rooms of this package; ``hangup`` is for who hangs up)."""
        self._end(channel, cause)

    def _end(self, channel: Channel, cause: int) -> None:
        if not channel.alive:
            return
        channel.alive = False
        del self.channels[channel.uniqueid]
        if channel.spies_on is not None:
            self.originating.spy_stops(channel)
        for spy in [spy for spy in self.channels.values() if spy.spies_on is channel]:
            self.originating.target_gone(spy)
        tech = (("TechCause", channel.tech_cause),) if channel.tech_cause else ()
        self.emit("Hangup", *channel.snapshot(), ("Cause", str(cause)), ("Cause-txt", CAUSES.get(cause, "")), *tech)

    # --- devices

    def settle(self) -> None:
        """Tell of every device whose state is another now, and let the queues look who is free."""
        for device, said in [*self._states.items()]:
            state = self.state(device)
            if state != said:
                self._states[device] = state
                self._device(device, state)
        for queue in self.queues.values():
            state = "RINGING" if queue.waiting else "NOT_INUSE"
            if state != queue.said:
                queue.said = state
                self.device(f"Queue:{queue.name}", state, queue.exten)
            available = self._available(queue)
            if available != queue.said_available:
                queue.said_available = available
                self.device(f"Queue:{queue.name}_avail", available, "")

    def _available(self, queue: Queue) -> str:
        free = any(self.state(member.interface) == "NOT_INUSE" for member in queue.members)
        return "NOT_INUSE" if free else "INUSE"

    def device(self, device: str, state: str, exten: str) -> None:
        """A device and the hint of its extension; one without an extension has no hint."""
        self.emit("DeviceStateChange", ("Device", device), ("State", state))
        if exten:
            status, text = HINTS[state]
            self.emit(
                "ExtensionStatus",
                ("Exten", exten),
                ("Context", INTERNAL),
                ("Hint", device),
                ("Status", status),
                ("StatusText", text),
            )

    def _device(self, device: str, state: str) -> None:
        phone = self.phones.get(device.partition("/")[2])
        self.device(device, state, phone.exten if phone is not None else "")
        for queue in self.queues.values():
            for member in queue.members:
                if member.interface == device:
                    self.emit("QueueMemberStatus", *member.event(state), cls="agent")
                    if state == "NOT_INUSE":
                        self.later(RETRY_S, self.queueing.look)
