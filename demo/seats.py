"""How conferences of the imitation move: join, talk, mute, leave, kick, lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.channels import NORMAL, Channel
from demo.rooms import Participant, Room

if TYPE_CHECKING:
    from demo.pbx import Pbx

LOCKED_PROMPT_S: Final = 1.5
"""How long who finds the room locked hears the words about it before he is dropped."""


class Seats:
    """The conferences that there are. ``rooms``: those that somebody sits in."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self.rooms: dict[str, Room] = {}

    def join(self, channel: Channel, name: str, *, admin: bool = False, muted: bool = False) -> None:
        """Enter a room; the first one opens it. A locked room lets only administrators in."""
        pbx, room = self._pbx, self.rooms.get(name)
        channel.application, channel.data = "ConfBridge", name
        if room is not None and room.locked and not admin:
            pbx.later(LOCKED_PROMPT_S, lambda: self._turned_away(channel))
            return
        if room is None:
            room = self.rooms[name] = Room(name, pbx.new_bridge("base", "softmix", "ConfBridge", name))
            room.bridge.hidden = 1  # the announcer
            pbx.emit("ConfbridgeStart", *room.headers())
            pbx.devices.tell(f"confbridge:{name}", "INUSE")
        participant = channel.sits = Participant(room, channel, pbx.clock(), admin, muted)
        room.participants.append(participant)
        pbx.bridge_enter(room.bridge, channel)
        self._tell_lost(room)
        pbx.emit("ConfbridgeJoin", *participant.event(), ("Muted", "Yes" if muted else "No"))
        pbx.people.sits(channel)

    def _turned_away(self, channel: Channel) -> None:
        if channel.alive:
            if not channel.originated:
                self._pbx.emit("SoftHangupRequest", *channel.snapshot(), ("Cause", str(NORMAL)))
            self._pbx.end(channel, 0)
            self._pbx.settle()

    def speak(self, participant: Participant, speaks: bool) -> None:
        """He begins or stops making sound."""
        participant.speaks = speaks
        self._talking(participant)

    def _talking(self, participant: Participant) -> None:
        talking = participant.speaks and not participant.muted
        if talking is not participant.talking:
            participant.talking = talking
            status = ("TalkingStatus", "on" if talking else "off")
            self._pbx.emit("ConfbridgeTalking", *participant.event(status))

    def mute(self, participants: list[Participant], muted: bool) -> None:
        """Mute or unmute; one who is already so gets the event again, as in Asterisk."""
        for participant in participants:
            participant.muted = muted
            self._pbx.emit("ConfbridgeMute" if muted else "ConfbridgeUnmute", *participant.event())
        for participant in participants:
            self._talking(participant)

    def record(self, room: Room, recorded: bool) -> None:
        """The recorder comes into the room's bridge, as one whom no list shows, or goes."""
        room.recorded = recorded
        room.bridge.hidden += recorded
        self._pbx.emit("ConfbridgeRecord" if recorded else "ConfbridgeStopRecord", *room.headers())
        room.bridge.hidden -= not recorded

    def show(self, participant: Participant) -> None:
        """All in the room are shown his picture; nothing is told where it was so already."""
        bridge, before = participant.room.bridge, participant.room.bridge.video
        bridge.video = participant.channel.uniqueid
        if bridge.video != before:
            self._pbx.emit("BridgeVideoSourceUpdate", *bridge.headers(), ("BridgePreviousVideoSource", before or ""))

    def _tell_lost(self, room: Room) -> None:
        if room.lost:
            self._pbx.emit("BridgeVideoSourceUpdate", *room.bridge.headers(), ("BridgePreviousVideoSource", room.lost))
            room.lost = ""

    def kick(self, participants: list[Participant]) -> None:
        for participant in participants:
            self.leave(participant, NORMAL, kicked=True)
        self._pbx.settle()

    def leave(self, participant: Participant, cause: int, *, kicked: bool = False) -> None:
        """Out of the room, and off the phone; the last one closes it. Who was kicked goes on in his dialplan first."""
        pbx, channel = self._pbx, participant.channel
        self.stand_up(participant)
        if not channel.originated:
            pbx.emit("SoftHangupRequest", *channel.snapshot(), ("Cause", str(NORMAL)))
            channel.priority += kicked
        pbx.end(channel, cause)

    def stand_up(self, participant: Participant) -> None:
        """Out of the room; the last one closes it."""
        pbx, room, channel = self._pbx, participant.room, participant.channel
        pbx.emit("ConfbridgeLeave", *participant.event())
        room.participants.remove(participant)
        channel.sits = None
        pbx.bridge_leave(channel)
        self._tell_lost(room)
        if room.bridge.video == channel.uniqueid:
            room.bridge.video, room.lost = "", channel.uniqueid
        if not room.participants:
            del self.rooms[room.name]
            pbx.devices.tell(f"confbridge:{room.name}", "NOT_INUSE")
            pbx.emit("ConfbridgeEnd", *room.headers())
            pbx.devices.tell(f"CBAnn/{room.name}", "INUSE", cached=False)
            room.bridge.hidden = 0
            self._tell_lost(room)
            pbx.bridge_destroy(room.bridge)
            pbx.devices.tell(f"CBAnn/{room.name}", "UNKNOWN", cached=False)
