"""The switch of the imitation: channels, dials, bridges, hang-ups, devices.

Nothing here waits: each method is one thing that happens, and emits what Asterisk 22 would. When things happen is
decided by who calls (``scenario``, an action, a test), by the hooks, and by ``later``, the only clock-work in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

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
from demo.devices import INTERNAL, Devices
from demo.events import SYSTEM, Class, Event, Header
from demo.lines import Lines, Phone
from demo.originating import Originating
from demo.parking import Parking
from demo.queueing import Queueing
from demo.queues import Queue
from demo.seats import Seats


class Timer(Protocol):
    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]
"""``later(seconds, call)``: the loop's ``call_later``, or something quicker."""


class People(Protocol):
    """Who uses the PBX: told what happens to them, so that they may do something later."""

    def rings(self, leg: Channel) -> None: ...
    def talks(self, caller: Channel, callee: Channel) -> None: ...
    def waits(self, caller: Channel) -> None: ...
    def sits(self, channel: Channel) -> None: ...
    def parked(self, channel: Channel, space: str) -> None: ...


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

    def parked(self, channel: Channel, space: str) -> None:
        pass


class Pbx:
    """One imitated PBX. ``emit`` takes every event; ``clock`` gives seconds of UTC; ``token`` makes bridge ids."""

    def __init__(
        self, emit: Callable[[Event], None], clock: Callable[[], float], later: Later, token: Callable[[], str]
    ) -> None:
        self.clock, self.later = clock, later
        self.people: People = Nobody()
        self.devices = Devices(self.emit)
        self.lines = Lines(self.emit, self.devices, clock)
        self.queues: dict[str, Queue] = {}
        self.rooms: list[str] = []
        """Extensions that lead into a conference of the same name."""
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.booted = clock()
        self.processed = 0
        """Calls since the start, for CoreStatus."""
        self.queueing = Queueing(self)
        self.seats = Seats(self)
        self.parking = Parking(self)
        self.originating = Originating(self)
        self._emit, self._token = emit, token
        self._number = 0

    # --- what it has

    def add_queue(self, name: str, exten: str, members: Iterable[str] = ()) -> Queue:
        """A queue, and the phones' extensions that serve it by its configuration."""
        queue = self.queues[name] = Queue(name, exten)
        self.devices.hint(exten, f"Queue:{name}")
        for member in members:
            phone = self.lines.phones[member]
            self.queueing.configure(queue, phone.device, phone.name)
        self.devices.know(f"Queue:{name}_avail", self._available(queue))
        return queue

    def add_room(self, exten: str) -> None:
        """An extension that leads into the conference of this name."""
        self.rooms.append(exten)
        self.devices.hint(exten, f"confbridge:{exten}")

    def find(self, text: str) -> Channel | None:
        """The channel of this Uniqueid or exact name."""
        found = self.channels.get(text)
        return found or next((channel for channel in self.channels.values() if channel.name == text), None)

    def state(self, device: str) -> str:
        """A device's state, of those in ``queues.STATUS``."""
        phone = self.lines.phones.get(device.partition("/")[2])
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
        return "ONHOLD" if all(leg.music and leg.bridge and leg.parked is None for leg in busy) else "INUSE"

    def exists(self, exten: str) -> bool:
        """Whether the dialplan knows what to do with it."""
        return bool(
            exten in self.lines.phones
            or exten in self.rooms
            or self.parking.knows(exten)
            or any(queue.exten == exten for queue in self.queues.values())
            or (
                self.lines.trunks
                and exten.startswith("0")
                and exten[1:].removeprefix("+").isdigit()
                and len(exten) > 3
            )
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
        channel.context, channel.dialled = INTERNAL, exten
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
        if exten in self.lines.phones:
            self._dial_phone(channel, self.lines.phones[exten])
        elif queue is not None:
            self.pick_up(channel)
            channel.priority = 2
            self.queueing.join(channel, queue)
        elif exten in self.rooms:
            self.pick_up(channel)
            channel.priority = 2
            self.seats.join(channel, exten)
        elif self.parking.knows(exten):
            self.pick_up(channel)
            self.parking.enter(channel, exten)
        elif self.exists(exten):
            channel.priority = 2
            trunk = self.lines.trunks[self._number % len(self.lines.trunks)]
            self._dial(channel, trunk, f"{exten[1:]}@{trunk.partition('/')[2]}", exten[1:], "")
        else:
            self._end(channel, NORMAL)

    def pick_up(self, channel: Channel) -> None:
        """Answer a caller that still hears ringing."""
        if channel.state != UP:
            channel.state, channel.answered = UP, self.clock()
            self.emit("Newstate", *channel.snapshot())

    def _dial_phone(self, caller: Channel, phone: Phone) -> None:
        caller.priority = 2
        if self.state(phone.device) == "UNAVAILABLE":
            self.finish(caller, NORMAL)
            return
        self._dial(caller, phone.device, phone.exten, phone.exten, phone.name)

    def call_back(self, caller: Channel, device: str) -> None:
        """Nobody has fetched a parked caller: ring who parked him. One who cannot be rung costs him the call."""
        phone = self.lines.phones.get(device.partition("/")[2])
        if phone is None or self.state(device) == "UNAVAILABLE":
            self.finish(caller, NORMAL)
            return
        self._dial(caller, device, phone.exten, phone.exten, phone.name)

    def _dial(self, caller: Channel, device: str, string: str, number: str, name: str) -> None:
        caller.application, caller.data = "Dial", f"PJSIP/{string},30,tT"
        leg = self.new_channel(device, number, name, "s", linkedid=caller.linkedid)
        leg.application, leg.data = "AppDial", "(Outgoing Line)"
        leg.caller, caller.callee = caller, leg
        self.emit("Newchannel", *leg.snapshot())
        leg.exten = caller.exten
        leg.connected_number, leg.connected_name = caller.number, caller.caller_name
        self.emit("NewConnectedLine", *leg.snapshot())
        self.emit("DialBegin", *caller.snapshot(), *leg.snapshot("Dest"), ("DialString", string))
        line = (leg.number, leg.caller_name)
        if line != (caller.connected_number, caller.connected_name):
            caller.connected_number, caller.connected_name = line
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
        bridge = self.new_bridge()
        leg.linkedid = caller.linkedid
        for channel in (leg, caller):
            self.bridge_enter(bridge, channel)
        self.people.talks(caller, leg)

    def new_bridge(
        self, kind: str = "basic", technology: str = "simple_bridge", creator: str = "", name: str = ""
    ) -> Bridge:
        bridge = Bridge(self._token(), kind, technology, creator, name)
        self.bridges[bridge.uniqueid] = bridge
        self.emit("BridgeCreate", *bridge.headers())
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

    def transfer(self, agent: Channel, exten: str, *, by_phone: bool = True) -> bool:
        """The agent's transfer key, blindly: his caller goes on to another extension, he is out of it. By the action
        it is anybody, and whom he talks to.

        False when he is in no call that can be passed on, or the extension does not exist.
        """
        customer, bridge = agent.talks_with, agent.bridge
        if bridge is None or customer is None or not self.exists(exten):
            return False
        if by_phone and customer is not agent.caller:
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
        if customer.served is not None:
            self.queueing.completed(customer.served, "caller")
        self.music(customer, False)
        if exten == self.parking.exten:
            self.parking.park(customer, agent.device, told=agent)
            self.settle()
            return True
        self.bridge_leave(agent)
        customer.exten, customer.priority, customer.callee = exten, 1, None
        self.bridge_leave(customer)
        self.bridge_destroy(bridge)
        if customer.caller is agent:
            self.finish(agent, NORMAL)
        else:
            self._end(agent, NORMAL)
        agent.caller = agent.callee = customer.caller = None
        self.enter(customer, exten)
        self.settle()
        return True

    def redirect(self, channel: Channel, exten: str) -> None:
        """Send a leg elsewhere in the dialplan, out of whatever it is in. One that rings is lost by it."""
        if channel.state == RINGING:
            self.hangup(channel, 0)
            return
        if channel.waits is not None:
            self.music(channel, False)  # before it is on its way, and what it leaves after (seen on 22)
        channel.exten, channel.context, channel.priority = exten, INTERNAL, 1
        if channel.waits is not None:
            self.queueing.withdraw(channel.waits)
        elif channel.sits is not None:
            self.seats.stand_up(channel.sits)
        elif channel.parked is not None:
            self.parking.give_up(channel)
        elif channel.bridge is not None:
            self._desert(channel)
        elif channel.callee is not None:
            leg, channel.callee = channel.callee, None
            self.dial_end(leg, "CANCEL")
            self._end(leg, 0)
        channel.caller = channel.callee = None
        self.enter(channel, exten)
        self.settle()

    def _desert(self, channel: Channel) -> None:
        """Out of a call of two, whose other side is left alone and ends."""
        other, bridge = channel.talks_with, channel.bridge
        assert bridge is not None
        for one in (channel, other):
            if one is not None and one.served is not None:
                self.queueing.completed(one.served, "caller")
        self.music(channel, False)
        self.bridge_leave(channel)
        if other is not None:
            self.leave_talk(other)

    # --- recording

    def record(self, channel: Channel) -> None:
        """A MixMonitor begins."""
        channel.recordings += 1
        self.emit("MixMonitorStart", *channel.snapshot())

    def stop_recording(self, channel: Channel) -> bool:
        """One of its recordings ends. False when there is none."""
        if not channel.recordings:
            return False
        channel.recordings -= 1
        self.emit("MixMonitorStop", *channel.snapshot())
        return True

    def pause_recording(self, channel: Channel, paused: bool, direction: str) -> None:
        """Its recordings write silence, or go on."""
        state = ("State", str(int(paused)))
        self.emit("MixMonitorMute", *channel.snapshot(), ("Direction", direction), state)

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
        elif channel.parked is not None:
            self._request(channel, by_phone)
            self.queueing.closed(channel)
            self.parking.give_up(channel)
            self.finish(channel, NORMAL)
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
            in_queue = channel.served is not None or "Queue" in channel.application
            cause = (("Cause", str(NORMAL)),) if dialled is not None and not in_queue else ()
            self.emit("HangupRequest", *channel.snapshot(), *cause)

    def _hangup_talk(self, channel: Channel, by_phone: bool) -> None:
        other = channel.talks_with
        callee = channel if channel.caller is not None or other is None else other
        self._request(channel, by_phone)
        if callee.served is not None:
            self.queueing.completed(callee.served, "agent" if channel is callee else "caller")
        self.queueing.closed(channel)
        for one in (channel, other):
            if one is not None:
                self.leave_talk(one)

    def leave_talk(self, channel: Channel) -> None:
        """Out of a bridge of two, which ends with the last, and hung up."""
        bridge = channel.bridge
        assert bridge is not None
        self.music(channel, False)
        self.bridge_leave(channel)
        if not bridge.members:
            self.bridge_destroy(bridge)
        if channel.caller is None and not channel.originated:
            self.emit("SoftHangupRequest", *channel.snapshot(), ("Cause", str(NORMAL)))
        self._end(channel, NORMAL)

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
        self.finish(caller, leg.cause)

    def finish(self, caller: Channel, cause: int) -> None:
        """The dialplan's own end of a call."""
        if caller.caller is None and not caller.originated:
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
        phones = (phone.device for phone in self.lines.phones.values())
        for device in (*phones, *self.lines.trunks):
            state = self.state(device)
            if state != self.devices.told[device]:
                self.devices.tell(device, state)
                self.queueing.device_changed(device, state)
        for queue in self.queues.values():
            if queue.waiting or f"Queue:{queue.name}" in self.devices.told:
                self.devices.tell(f"Queue:{queue.name}", "RINGING" if queue.waiting else "NOT_INUSE")
            self.devices.tell(f"Queue:{queue.name}_avail", self._available(queue))

    def _available(self, queue: Queue) -> str:
        return "NOT_INUSE" if any(self.queueing.is_free(member) for member in queue.members) else "INUSE"
