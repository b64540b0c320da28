"""All live state of one PBX, and the table of the events that move it.

Rules that keep it exact (each from a measured fault of others):
only ``Newchannel`` and list items create a channel; handlers set, never count; events of different publishers come in
any order, so each works alone; what hung up leaves a tombstone, and nothing raises the dead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, Literal

from ami.protocol import Message
from live import bridges, channels, conferences, devices, parking, queues, trunks
from live.bridges import Bridge, Kind
from live.calls import Calls
from live.changes import Changes, Entities, Published
from live.channels import Channel, given, take_snapshot
from live.conferences import Conferences
from live.devices import Devices
from live.dialling import Meter
from live.manners import SEED, Manners
from live.numbers import number_in
from live.ownlegs import OwnLegs
from live.parking import Parking
from live.queues import Queues
from live.spies import Spies
from live.trunks import Trunks

TOMBSTONE_S: Final = 60.0
"""How long a Uniqueid that hung up stays dead for lists and late events (Asterisk 16 lists a channel up to seconds
after its Hangup was delivered: 5 in 266,162 items)."""

GRACE_S: Final = 0.1
"""How long a leg may be between two bridges, or newborn and not yet dialled, before a look at it counts. A transfer's
leave and enter are milliseconds apart; this is the longest that any change waits before it is told."""

EXPECTED_S: Final = 2.0
"""How long an event may be ahead of the Newchannel of the leg that it is about: some come by a way of their own
[ConfbridgeJoin on 16 and 22, by milliseconds, under load]. A leg that is not known after so long is one that we never
learned of: a fault."""

COMPARED: Final = ("name", "state", "number", "caller_name", "bridge")
"""What a list corrects and events should have told: a difference found at a reconcile is drift."""


class Pbx:
    """One Asterisk, as its lists and events tell it. ``now`` is always seconds of UTC by the caller's clock."""

    def __init__(
        self, name: str, extensions: re.Pattern[str], trunks: re.Pattern[str], manners: Manners = SEED
    ) -> None:
        self.name = name
        self.manners = manners
        self.extensions = extensions
        """Matches the resource of a device that is an extension of ours (``101``)."""
        self.trunks = trunks
        """Matches a device that leads outside (``PJSIP/trunk``)."""
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.local_halves: dict[str, str] = {}
        """Name of a Local half → its Uniqueid."""
        self.tombstones: dict[str, float] = {}
        self.settled = False
        """True while events alone keep the model; False from a login until its lists are read and late events in."""
        self.unknown = 0
        """Events, while settled, about a channel that neither lives nor has a tombstone: each is a fault somewhere."""
        self.reads = 0
        """How often the channels were listed: what no event tells is proved by a reading newer than the command."""
        self.transfers: dict[str, list[str]] = {}
        """Uniqueid of who transferred → the results of his blind transfers, while his leg is remembered."""
        self.takers: dict[str, str] = {}
        """Uniqueid of a leg that goes, by an attended transfer → of the one that goes on where it is then."""
        self.reloads = 0
        """Reloads that Asterisk told of: what they changed, it tells by lists only."""
        self.calls = Calls(self)
        self.conferences = Conferences(self)
        self.queues = Queues(self)
        self.parking = Parking(self)
        self.devices = Devices(self)
        self.lines = Trunks(self)
        self.spies = Spies(self)
        self.own = OwnLegs()
        self.meter = Meter()
        self._published = Published()
        self._order = 0
        self._expected: dict[str, float] = {}
        self._early: dict[str, list[tuple[Message, float]]] = {}

    # --- in

    def apply(self, message: Message, now: float) -> None:
        """Take one event. Events that the model does not want cost one dictionary look-up."""
        handler = HANDLERS.get(message.event)
        if handler is not None and not (message.event in OVERTAKING and self._is_early(message, now)):
            handler(self, message, now)

    def replace_bridges(self, items: Iterable[Message], now: float) -> int:
        """Take a whole BridgeList."""
        listed = set()
        for item in items:
            uniqueid = item.get("BridgeUniqueid")
            listed.add(uniqueid)
            self._describe(self.bridge(uniqueid), item)
        gone = [uniqueid for uniqueid in self.bridges if uniqueid not in listed]
        for uniqueid in gone:
            self._destroy_bridge(uniqueid)
        return len(gone)

    def _describe(self, bridge: Bridge, message: Message) -> None:
        before = bridge.video
        bridges.describe(bridge, message)
        if bridge.video != before:
            for uniqueid in (before, bridge.video):
                self.conferences.touch(uniqueid)

    def replace_channels(self, items: Iterable[Message], now: float) -> int:
        """Take a whole CoreShowChannels. Returns how much of what was held it corrected."""
        self.reads += 1
        corrections = 0
        listed: set[str] = set()
        for item in sorted(items, key=_age):
            uniqueid = item.get("Uniqueid")
            if uniqueid in self.tombstones:
                continue
            listed.add(uniqueid)
            channel = self.channels.get(uniqueid)
            new = channel is None
            if channel is None:
                created = now - channels.list_duration(item.get("Duration"))
                channel = self._create(uniqueid, created, approx=True)
            before = [getattr(channel, name) for name in COMPARED]
            self._snapshot(channel, item)
            channel.application = item.get("Application")
            channel.application_data = item.text("ApplicationData")
            if channel.application == "Queue":
                channel.queue = channel.application_data.partition(",")[0]
            self._move(channel, item.get("BridgeId"))
            corrections += new or before != [getattr(channel, name) for name in COMPARED]
            channel.settles = 0.0
            self.calls.touch(channel)
            self._catch_up(uniqueid)
        for uniqueid in [uniqueid for uniqueid in self.channels if uniqueid not in listed]:
            corrections += 1
            self.remove(uniqueid, 0, "", now)
        for channel in [*self.channels.values()]:
            self.spies.listed(channel)
        self._infer_dials()
        return corrections

    # --- out

    def changes(self, now: float) -> Changes:
        """What is different since the last call of this method, folded into calls and parties."""
        self.expire(now)
        changes = Changes()
        self.calls.fold(self._published, changes, now)
        for room in (self.conferences, self.queues, self.parking, self.devices, self.lines):
            room.fold(self._published, changes)
        self.spies.fold(self._published, changes)
        self.own.look(now)
        return changes

    def entities(self) -> Entities:
        """All that was said so far: what a newcomer must be told."""
        return self._published.entities

    @property
    def pending(self) -> bool:
        """True if a later look, without any event, would say more: a leg that settles, an ended call that expires."""
        return self.calls.pending or self.own.pending

    @property
    def unsettled(self) -> bool:
        """True if something was heard that is not told yet, since its step is half done."""
        return self.calls.unsettled

    def expire(self, now: float) -> None:
        """Forget tombstones older than a minute, and what waits for a channel that never came."""
        for uniqueid in [uniqueid for uniqueid, at in self._expected.items() if now - at > EXPECTED_S]:
            del self._expected[uniqueid]
            self._early.pop(uniqueid, None)
            self.known(uniqueid)  # counts it
        while self.tombstones:
            uniqueid, died = next(iter(self.tombstones.items()))
            if now - died < TOMBSTONE_S:
                break
            del self.tombstones[uniqueid]
            self.transfers.pop(uniqueid, None)
            self.takers.pop(uniqueid, None)

    def retell(self) -> None:
        """Fold everything anew, as if nothing had been said: after an error of ours, which may have lost a change."""
        self._published = Published()
        self.calls = Calls(self)
        for channel in self.channels.values():
            channel.call = ""
            channel.settles = 0.0
            channel.left.clear()
            self.calls.touch(channel)
        for room in (self.conferences, self.queues, self.parking, self.devices, self.lines):
            room.retell()

    # --- what the handlers share

    def key(self, rest: str) -> str:
        """Every key begins with its PBX's name."""
        return f"{self.name}/{rest}"

    def known(self, uniqueid: str) -> Channel | None:
        """The live channel of this Uniqueid; an unknown one is counted, a dead one is not."""
        channel = self.channels.get(uniqueid)
        if channel is None and self.settled and uniqueid and uniqueid not in self.tombstones:
            self.unknown += 1
        return channel

    def named_alone(self, channel: Channel) -> bool:
        """Whether no other live channel's name begins with this one's. Where Asterisk is told a name it is content
        with a beginning, in letters of either size (``DAHDI/1-1`` is that of ``DAHDI/1-10``)."""
        name = channel.name.casefold()
        return not any(
            other is not channel and other.name.casefold().startswith(name) for other in self.channels.values()
        )

    def expect(self, uniqueid: str, now: float) -> bool:
        """Whether an event about this leg is to be believed: it lives, or its Newchannel is still to come. What hung
        up stays dead."""
        if uniqueid in self.tombstones:
            return False
        if uniqueid not in self.channels:
            self._expected.setdefault(uniqueid, now)
        return True

    def _is_early(self, message: Message, now: float) -> bool:
        """Whether an event is ahead of the Newchannel of its leg: then it is kept until that has come."""
        uniqueid = message.get("Uniqueid")
        if not uniqueid or uniqueid in self.channels or not self.expect(uniqueid, now):
            return False
        self._early.setdefault(uniqueid, []).append((message, now))
        return True

    def _catch_up(self, uniqueid: str) -> None:
        """The leg is known now: take what was told of it before."""
        early = self._early.pop(uniqueid, ())
        new = {message.get("BridgeUniqueid") for message, _ in early} - self.bridges.keys()
        for message, at in early:
            room = message.text("Conference")
            if not room or room in self.conferences.rooms:  # else it has ended since
                self.apply(message, at)
        for bridge_id in new:
            bridge = self.bridges.get(bridge_id)
            if bridge is not None and not bridge.members:
                del self.bridges[bridge_id]  # it came, was left and ended before the leg was known

    def touch(self, uniqueid: str) -> None:
        """Something about this leg is told elsewhere: where it waits, where it is parked."""
        channel = self.channels.get(uniqueid)
        if channel is not None:
            self.calls.touch(channel)

    def settle(self, uniqueid: str, now: float) -> None:
        """This leg is between two places."""
        channel = self.channels.get(uniqueid)
        if channel is not None:
            self._settle(channel, now)

    def touched(self, uniqueid: str) -> None:
        """Its channel came, changed, or is on another call: whoever tells of the leg looks again."""
        self.conferences.touch(uniqueid)
        self.queues.touch(uniqueid)
        self.parking.touch(uniqueid)

    def bridge(self, uniqueid: str) -> Bridge:
        return self.bridges.setdefault(uniqueid, Bridge(uniqueid))

    def _create(self, uniqueid: str, created: float, *, approx: bool) -> Channel:
        self._order += 1
        channel = self.channels[uniqueid] = Channel(uniqueid, self._order, created, approx=approx)
        channel.queue = self.queues.of(uniqueid)
        self._expected.pop(uniqueid, None)
        self.own.born(uniqueid)
        return channel

    def fold_away(self, channel: Channel) -> None:
        """It listens: it is no leg of a call, and if it was shown as one that was an error."""
        if not channel.spying:
            channel.spying = True
            self.calls.withdraw(channel)

    def _snapshot(self, channel: Channel, message: Message, prefix: str = "") -> None:
        name = channel.name
        if take_snapshot(channel, message, prefix):
            if channel.name != name:
                self._named(channel, name)
            self.calls.touch(channel)

    def _named(self, channel: Channel, old_name: str) -> None:
        """A channel has another name. Names are reused: another's entry is left alone."""
        self.lines.carries(channel.uniqueid, channel.device, channels.device(old_name))
        if self.local_halves.get(old_name) == channel.uniqueid:
            del self.local_halves[old_name]
        if channel.local_half:
            before = self.channels.get(self.local_halves.get(channel.name, ""))
            if before is not None:
                self.calls.touch(before)
            self.local_halves[channel.name] = channel.uniqueid
            other = self.channels.get(self.local_halves.get(channel.local_half, ""))
            if other is not None:
                self.calls.touch(other)

    def _move(self, channel: Channel, bridge_id: str) -> None:
        """Put a channel into a bridge, or ("") into none; it leaves where it was."""
        if channel.bridge == bridge_id:
            return
        self.calls.touch(channel)
        old = self.bridges.get(channel.bridge)
        if old is not None:
            old.members.discard(channel.uniqueid)
            channel.held = False  # whom it held stays behind; no Unhold tells of it [an attended transfer, 16 and 22]
        channel.bridge = bridge_id
        if bridge_id:
            self.bridge(bridge_id).members.add(channel.uniqueid)
            channel.joined = True
            if channel.spying:  # whoever is in a bridge has ended listening
                channel.spying = False
                self.spies.gone(channel.uniqueid)
            self._bridged(channel)
        self.calls.touch(channel)

    def _bridged(self, channel: Channel) -> None:
        """A leg that talks is rung no longer, and waits in no queue and no slot."""
        self._forget_mates(channel)
        for member in self.bridges[channel.bridge].members:
            self.channels[member].settles = 0.0
        for other_id in [*channel.dialled_by]:
            other = self.channels.get(other_id)
            if other is None or other.bridge:
                self.undial(other_id, channel.uniqueid)
        for other_id in [*channel.dials]:
            other = self.channels.get(other_id)
            if other is None or other.bridge:
                self.undial(channel.uniqueid, other_id)

    def _leave(self, channel: Channel, now: float) -> None:
        """Out of the bridge; until the grace is over its mates still count as the same call."""
        bridge = self.bridges.get(channel.bridge)
        if bridge is not None and bridge.kind is Kind.TALK:
            for mate_id in bridge.members - {channel.uniqueid}:
                mate = self.channels[mate_id]
                channel.left[mate_id] = mate.left[channel.uniqueid] = now + GRACE_S
                if len(bridge.members) == 2:
                    self._settle(mate, now)  # alone in a bridge: about to hang up, or to go where the other goes
        self._move(channel, "")
        self._settle(channel, now)

    def _forget_mates(self, channel: Channel) -> None:
        """Whom it was in a bridge with a moment ago no longer counts, on neither side."""
        for mate_id in channel.left:
            mate = self.channels.get(mate_id)
            if mate is not None:
                mate.left.pop(channel.uniqueid, None)
        channel.left.clear()

    def _settle(self, channel: Channel, now: float) -> None:
        channel.settles = now + GRACE_S
        self.calls.touch(channel)

    def _destroy_bridge(self, uniqueid: str) -> None:
        bridge = self.bridges.pop(uniqueid, None)
        for member in bridge.members if bridge else ():
            self.channels[member].bridge = ""
            self.calls.touch(self.channels[member])

    def take_place(self, new_id: str, old_id: str, now: float) -> None:
        """One leg goes on where another one was: in its room, its place in a queue, ringing whom it rang."""
        new, old = self.channels.get(new_id), self.channels.get(old_id)
        self.queues.replaced(old_id, new_id)
        if new is None or old is None:
            return
        self.conferences.replaced(old_id, new_id)
        new.queue = old.queue or new.queue
        bridge = self.bridges.get(old.bridge)
        if bridge is not None and bridge.kind is not Kind.TALK:
            self._leave(old, now)
            self._move(new, bridge.uniqueid)
        for other_id in [*old.dials]:
            self.undial(old_id, other_id)
            self.dial(new, self.channels[other_id])

    def other_end(self, uniqueid: str) -> str:
        """Whom this leg, leaving its bridge, leaves to another one: the other half of a Local channel that took its
        place there, or the only other one in the bridge; "" if neither is."""
        channel = self.channels.get(uniqueid)
        if channel is None:
            return ""
        taker = self.channels.get(channel.swapped)
        if taker is not None:
            return self.local_halves.get(taker.local_half, "")
        bridge = self.bridges.get(channel.bridge)
        others = bridge.members - {uniqueid} if bridge is not None else set()
        return others.pop() if len(others) == 1 else ""

    def dial(self, source: Channel, target: Channel) -> None:
        source.dials.add(target.uniqueid)
        target.dialled_by.add(source.uniqueid)
        source.settles = target.settles = 0.0
        self.calls.touch(source)
        self.calls.touch(target)

    def undial(self, source_id: str, target_id: str) -> None:
        source, target = self.channels.get(source_id), self.channels.get(target_id)
        if source is not None:
            self.calls.touch(source)
            source.dials.discard(target_id)
        if target is not None:
            self.calls.touch(target)
            target.dialled_by.discard(source_id)

    def remove(self, uniqueid: str, cause: int, reason: str, now: float) -> None:
        """A channel is no more."""
        channel = self.channels.get(uniqueid)
        self.tombstones[uniqueid] = now
        self._expected.pop(uniqueid, None)
        self._early.pop(uniqueid, None)
        self.own.ended(uniqueid, cause, reason, now)
        self.spies.gone(uniqueid)
        if channel is None:
            return
        self.calls.hung_up(channel, cause, reason)
        self.conferences.leave(uniqueid)
        self.queues.leave(uniqueid)
        self.parking.leave(uniqueid)
        self.lines.carries(uniqueid, "", channel.device)
        # Who was with it is about to hang up too, or to go on elsewhere: not worth a picture of its own.
        for other in [*channel.dials]:
            self.undial(uniqueid, other)
            self._settle(self.channels[other], now)
        for other in [*channel.dialled_by]:
            self.undial(other, uniqueid)
            self._settle(self.channels[other], now)
        other_half = self.channels.get(self.local_halves.get(channel.local_half, ""))
        if other_half is not None:
            self._settle(other_half, now)
        if channel.bridge:
            # Transferred in the moment of the answer: it went into the bridge, and not out of it; the other is there.
            taker, bridge = self.channels.get(self.takers.get(uniqueid, "")), channel.bridge
            self._leave(channel, now)
            if taker is not None and not taker.bridge:
                self._move(taker, bridge)
        self._forget_mates(channel)
        if self.local_halves.get(channel.name) == uniqueid:
            del self.local_halves[channel.name]
        del self.channels[uniqueid]

    def _infer_dials(self) -> None:
        """No list tells who rings whom: a leg being rung is joined to the call that its Linkedid names."""
        for channel in self.channels.values():
            source = self.channels.get(channel.linkedid)
            rung = channel.state in (channels.DOWN, channels.RINGING) and not channel.bridge
            if rung and source is not None and source is not channel and not channel.dialled_by:
                self.dial(source, channel)


def _age(item: Message) -> tuple[int, bool]:
    """The eldest first: a call is named by its eldest leg, and begun by it. Asterisk lists them in no order [a callee
    before its caller on 16 and 22]; of one second, the leg that gave the others its Linkedid is the eldest."""
    return -channels.list_duration(item.get("Duration")), item.get("Linkedid") != item.get("Uniqueid")


# --- the events


def _newchannel(pbx: Pbx, message: Message, now: float) -> None:
    uniqueid = message.get("Uniqueid")
    if not uniqueid or uniqueid in pbx.tombstones:
        return
    channel = pbx.channels.get(uniqueid)
    if channel is None:
        channel = pbx._create(uniqueid, now, approx=False)
    pbx._snapshot(channel, message)
    if channel.state == channels.DOWN or channel.local_half:
        channel.settles = now + GRACE_S
    pbx.calls.touch(channel)
    pbx._catch_up(uniqueid)


def _snapshot(pbx: Pbx, message: Message, now: float) -> None:
    channel = pbx.known(message.get("Uniqueid"))
    if channel is not None:
        pbx._snapshot(channel, message)


def _newstate(pbx: Pbx, message: Message, now: float) -> None:
    channel = pbx.known(message.get("Uniqueid"))
    if channel is not None:
        pbx._snapshot(channel, message)
        # chan_iax2 says that a leg rings before anybody says who rings it.
        if not channel.local_half and channel.state != channels.RINGING:
            channel.settles = 0.0


def _rename(pbx: Pbx, message: Message, now: float) -> None:
    channel = pbx.known(message.get("Uniqueid"))
    if channel is not None:
        old_name, channel.name = channel.name, message.get("Newname")
        pbx._named(channel, old_name)
        pbx.calls.touch(channel)


def _hangup(pbx: Pbx, message: Message, now: float) -> None:
    uniqueid = message.get("Uniqueid")
    if uniqueid:
        pbx.known(uniqueid)
        pbx.remove(uniqueid, number_in(message, "Cause"), given(message.get("Cause-txt")), now)


def _flag(name: Literal["held", "music"], value: bool) -> Handler:
    def handler(pbx: Pbx, message: Message, now: float) -> None:
        channel = pbx.known(message.get("Uniqueid"))
        if channel is not None:
            pbx._snapshot(channel, message)
            if getattr(channel, name) is not value:
                setattr(channel, name, value)
                pbx.calls.touch(channel)

    return handler


def _dial_begin(pbx: Pbx, message: Message, now: float) -> None:
    target = pbx.known(message.get("DestUniqueid"))
    if target is None:
        return
    pbx._snapshot(target, message, "Dest")
    if target.dialled != message.get("DialString"):
        target.dialled = message.get("DialString")
        pbx.calls.touch(target)
    source = pbx.known(message.get("Uniqueid"))
    if not message.get("Uniqueid") and not target.local_half:
        target.settles = 0.0  # an Originate dials without a source
    if source is not None:
        pbx._snapshot(source, message)
        if not target.bridge:
            pbx.dial(source, target)


def _dial_end(pbx: Pbx, message: Message, now: float) -> None:
    target_id, source_id = message.get("DestUniqueid"), message.get("Uniqueid")
    # Answered: the two stay one call until both are in a bridge, which is where the dial ends for us.
    source, target = pbx.channels.get(source_id), pbx.channels.get(target_id)
    if message.get("DialStatus") != "ANSWER" and source is not None and target is not None:
        pbx.undial(source_id, target_id)
        source.left[target_id] = target.left[source_id] = now + GRACE_S
        pbx._settle(source, now)
        pbx._settle(target, now)


def _bridge(pbx: Pbx, message: Message, now: float) -> None:
    pbx._describe(pbx.bridge(message.get("BridgeUniqueid")), message)


def _bridge_enter(pbx: Pbx, message: Message, now: float) -> None:
    bridge = pbx.bridge(message.get("BridgeUniqueid"))
    pbx._describe(bridge, message)
    swapped = pbx.channels.get(message.get("SwapUniqueid"))
    channel = pbx.known(message.get("Uniqueid"))
    if channel is not None:
        pbx._snapshot(channel, message)
        pbx._move(channel, bridge.uniqueid)
        if bridge.kind is Kind.TALK and len(bridge.members) == 1:
            pbx._settle(channel, now)  # whom it is to talk with comes within milliseconds
    if swapped is not None:
        swapped.swapped = message.get("Uniqueid")
        if swapped.bridge == bridge.uniqueid:
            pbx._leave(swapped, now)


def _bridge_leave(pbx: Pbx, message: Message, now: float) -> None:
    bridge = pbx.bridges.get(message.get("BridgeUniqueid"))
    if bridge is not None:
        pbx._describe(bridge, message)
    channel = pbx.known(message.get("Uniqueid"))
    if channel is not None:
        pbx._snapshot(channel, message)
        # It may be in its next bridge already: events of two bridges are not ordered among themselves.
        if channel.bridge == message.get("BridgeUniqueid"):
            pbx._leave(channel, now)


def _bridge_destroy(pbx: Pbx, message: Message, now: float) -> None:
    pbx._destroy_bridge(message.get("BridgeUniqueid"))


def _recording(recorded: bool) -> Handler:
    def handler(pbx: Pbx, message: Message, now: float) -> None:
        channel = pbx.known(message.get("Uniqueid"))
        if channel is not None:
            channel.recorded, channel.paused = recorded, False
            pbx.calls.touch(channel)

    return handler


def _recording_paused(pbx: Pbx, message: Message, now: float) -> None:
    channel = pbx.known(message.get("Uniqueid"))
    if channel is not None:
        channel.paused = message.get("State") == "1"
        pbx.calls.touch(channel)


def _blind_transfer(pbx: Pbx, message: Message, now: float) -> None:
    transferer = message.get("TransfererUniqueid")
    if transferer:
        pbx.transfers.setdefault(transferer, []).append(message.get("Result"))


def _attended(pbx: Pbx, message: Message, now: float) -> None:
    """Who is transferred to an application (a room, a queue) goes on in the place of the leg that the transferer had
    there. Asterisk puts the one into the other's channel: of bridge and queue it says no more [measured on 16 and
    22]."""
    if message.get("DestType") != "App":
        return
    talked, away = message.get("OrigTransfererUniqueid"), message.get("SecondTransfererUniqueid")
    if not message.get("OrigBridgeUniqueid"):  # it is the first leg that was in the application
        talked, away = away, talked
    taker = message.get("TransfereeUniqueid") or message.get("TransferTargetUniqueid") or pbx.other_end(talked)
    pbx.takers[away] = taker
    pbx.take_place(taker, away, now)


def _reload(pbx: Pbx, message: Message, now: float) -> None:
    pbx.reloads += 1


def _originated(pbx: Pbx, message: Message, now: float) -> None:
    success = message.get("Response") == "Success"
    pbx.own.responded(message.get("Uniqueid"), success, number_in(message, "Reason"), now)


def _spy_start(pbx: Pbx, message: Message, now: float) -> None:
    spyer = pbx.known(message.get("SpyerUniqueid"))
    if spyer is not None:
        pbx.spies.start(spyer, message.get("SpyeeUniqueid"), now)


def _spy_stop(pbx: Pbx, message: Message, now: float) -> None:
    pbx.spies.stop(message.get("SpyerUniqueid"), message.get("SpyeeUniqueid"))


def _picked_up(pbx: Pbx, message: Message, now: float) -> None:
    pbx.own.done(message.get("Uniqueid"))


Handler = Callable[[Pbx, Message, float], None]

HANDLERS: Final[dict[str, Handler]] = {
    # a channel
    "Newchannel": _newchannel,
    "Newstate": _newstate,
    "NewCallerid": _snapshot,
    "NewConnectedLine": _snapshot,
    "NewAccountCode": _snapshot,
    "Rename": _rename,
    "Hold": _flag("held", True),
    "Unhold": _flag("held", False),
    "MusicOnHoldStart": _flag("music", True),
    "MusicOnHoldStop": _flag("music", False),
    "Hangup": _hangup,
    # who rings whom
    "DialBegin": _dial_begin,
    "DialState": _snapshot,
    "DialEnd": _dial_end,
    # where they meet
    "BridgeCreate": _bridge,
    "BridgeVideoSourceUpdate": _bridge,
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": _bridge_leave,
    "BridgeDestroy": _bridge_destroy,
    "AttendedTransfer": _attended,
    # where they wait, and who serves them
    **queues.HANDLERS,
    **parking.HANDLERS,
    # what Asterisk says of phones and lines
    **devices.HANDLERS,
    **trunks.HANDLERS,
    # where they meet in numbers
    **conferences.HANDLERS,
    # who listens, and what became of legs that we asked for
    "OriginateResponse": _originated,
    "ChanSpyStart": _spy_start,
    "ChanSpyStop": _spy_stop,
    "Pickup": _picked_up,
    "BlindTransfer": _blind_transfer,
    "MixMonitorStart": _recording(True),
    "MixMonitorStop": _recording(False),
    "MixMonitorMute": _recording_paused,
    "Reload": _reload,
}

OVERTAKING: Final = frozenset(
    name for name in HANDLERS if name.startswith(("BridgeEnter", "BridgeLeave", "Confbridge"))
)
"""Events about a leg that come by another way than its Newchannel, and may be ahead of it."""
