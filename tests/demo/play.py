"""The steps that are played on both stages, in this order: each goes on where the last one ended."""

from __future__ import annotations

from collections.abc import Callable

from tests.demo.stages import Stage

Step = Callable[[Stage], None]


def _talk(stage: Stage) -> None:
    stage.dial("201", "101")
    stage.answer("101")


def _serve(stage: Stage) -> None:
    stage.dial("trunk", "600")
    stage.answer("101")


def _ring_queue(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.dial("trunk", "600")
    stage.tap.event("DialState", since)
    stage.quiet()


def _lists(stage: Stage) -> None:
    for name in ("CoreShowChannels", "BridgeList", "ConfbridgeListRooms"):
        stage.tap.list(name)
    stage.tap.list("QueueStatus", Queue="sales")
    stage.tap.list("QueueStatus", Queue="nosuch")
    for name in ("CoreStatus", "CoreSettings", "ListCommands", "Ping"):
        stage.tap.ask(name)


def _spy(stage: Stage, channel_id: str, who: str = "101") -> None:
    since = len(stage.tap.seen)
    data = f"{stage.uniqueid(who)},quES"
    stage.originate(channel_id, "ChanSpy", data, CallerID='"Phoenix-Spy" <900>')
    stage.tap.event("OriginateResponse", since)


def _pickup(stage: Stage, channel_id: str, target: str = "") -> None:
    since = len(stage.tap.seen)
    data = target or stage.channel("101")
    stage.originate(channel_id, "PickupChan", data, CallerID='"Phoenix-Pickup" <900>')
    stage.tap.event("OriginateResponse", since)


def _click(stage: Stage) -> None:
    stage.originate("p-click", Context="from-internal", Exten="101", Priority="1", CallerID='"Phoenix-call 101" <101>')
    stage.answer("101")


def _refused_originates(stage: Stage) -> None:
    caller = '"Phoenix-Spy" <900>'
    since = len(stage.tap.seen)
    stage.originate("p-gone", "ChanSpy", "x,quES", Channel="PJSIP/103", CallerID=caller)
    stage.tap.event("OriginateResponse", since, Uniqueid="p-gone")
    stage.originate("p-none", "Wait", "1", Channel="PJSIP/nobody", CallerID=caller)
    stage.tap.event("OriginateResponse", since, Uniqueid="p-none")
    stage.originate("p-exten", Context="from-internal", Exten="7777", Priority="1")
    stage.originate("p-tech", "Wait", "1", Channel="PJSIP")
    stage.originate("p-empty", "Wait", "1", Channel="")
    stage.originate("p-late", "Wait", "1", Channel="PJSIP/101", CallerID=caller, Timeout="400")
    stage.tap.event("OriginateResponse", since, Uniqueid="p-late")


def _rung_originate_refused(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.originate("p-busy", "Wait", "1", Channel="PJSIP/101", Timeout="5000")
    stage.tap.event("DialState", since)
    stage.reject("101")
    stage.quiet()
    since = len(stage.tap.seen)
    stage.originate("p-off", "Wait", "1", Channel="PJSIP/101", Timeout="5000")
    stage.tap.event("DialState", since)
    stage.quiet()
    stage.tap.ask("Hangup", Channel="p-off")


def _errors(stage: Stage) -> None:
    ask = stage.tap.ask
    ask("Hangup", Channel="nobody")
    ask("Hangup")
    ask("Nosuch")
    ask("Events", EventMask="system,call,agent")
    stage.tap.raw("ActionID: 7\r\n\r\n")
    ask("Ping")


def _no_room(stage: Stage) -> None:
    ask = stage.tap.ask
    ask("ConfbridgeListRooms")
    ask("ConfbridgeList")
    for name in ("ConfbridgeList", "ConfbridgeLock", "ConfbridgeUnlock"):
        ask(name, Conference="801")
    for name in ("ConfbridgeMute", "ConfbridgeUnmute", "ConfbridgeKick"):
        ask(name, Conference="801", Channel="x")


def _room_errors(stage: Stage) -> None:
    ask = stage.tap.ask
    for name in ("ConfbridgeMute", "ConfbridgeUnmute", "ConfbridgeKick"):
        ask(name, Conference="801", Channel="x")
        ask(name, Conference="801")
        ask(name)
        ask(name, Conference="9", Channel="x")
    for name in ("ConfbridgeLock", "ConfbridgeUnlock", "ConfbridgeList"):
        ask(name)
        ask(name, Conference="9")


def _join(stage: Stage, who: str) -> None:
    since = len(stage.tap.seen)
    stage.dial(who, "801")
    stage.tap.event("BridgeEnter", since)
    if who == "201":
        stage.tap.event("ConfbridgeTalking", since)


def _room_lists(stage: Stage) -> None:
    stage.tap.list("ConfbridgeListRooms")
    stage.tap.list("ConfbridgeList", Conference="801")
    stage.tap.list("BridgeList")
    stage.tap.list("CoreShowChannels")


def _mutes(stage: Stage) -> None:
    for name in ("ConfbridgeMute", "ConfbridgeMute", "ConfbridgeUnmute"):
        stage.tap.ask(name, Conference="801", Channel=stage.channel("201"))
        stage.quiet()
    stage.tap.ask("ConfbridgeMute", Conference="801", Channel="participants")
    stage.quiet()
    stage.tap.ask("ConfbridgeUnmute", Conference="801", Channel="all")


def _pictures(stage: Stage) -> None:
    for who in ("201", "201", "202"):
        stage.tap.ask("ConfbridgeSetSingleVideoSrc", Conference="801", Channel=stage.channel(who))
        stage.quiet()
    stage.tap.list("BridgeList")
    stage.tap.ask("ConfbridgeSetSingleVideoSrc", Conference="801", Channel="x")


def _lock(stage: Stage) -> None:
    stage.tap.ask("ConfbridgeLock", Conference="801")
    stage.tap.list("ConfbridgeListRooms")
    since = len(stage.tap.seen)
    stage.originate("p-locked", "ConfBridge", "801")
    stage.tap.event("Hangup", since, Uniqueid="p-locked")
    stage.tap.ask("ConfbridgeUnlock", Conference="801")


def _invite(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.originate("p-room", "ConfBridge", "801")
    stage.tap.event("BridgeEnter", since)
    stage.tap.event("ConfbridgeTalking", since)
    stage.quiet()
    stage.tap.ask("Hangup", Channel="p-room", Cause="16")


def _wait(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.originate("p-wait", "Wait", "0.3")
    stage.tap.event("Hangup", since, Uniqueid="p-wait")
    stage.originate("p-play", "Playback", "silence/1", CallerID='"x" <900>')
    stage.tap.event("Hangup", since, Uniqueid="p-play")


def _abandon_waiting(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.dial("trunk", "601")
    stage.tap.event("QueueCallerJoin", since)
    stage.quiet()
    stage.hangup("trunk")


def _queue_lists(stage: Stage) -> None:
    stage.tap.list("QueueStatus", Queue="sales")
    stage.tap.list("CoreShowChannels")


def _pass_on(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.refer("101", "900")
    stage.tap.event("BridgeEnter", since)


def _ring_again(stage: Stage) -> None:
    stage.tap.event("DialState", len(stage.tap.seen))


def _channels(stage: Stage) -> None:
    stage.tap.list("CoreShowChannels")


def _kick(stage: Stage) -> None:
    stage.tap.ask("ConfbridgeKick", Conference="801", Channel=stage.channel("201"))


def _floor_lists(stage: Stage) -> None:
    for name in ("Status", "DeviceStateList", "ExtensionStateList", "ParkedCalls", "Parkinglots"):
        stage.tap.list(name)
    for name in ("PJSIPShowContacts", "PJSIPShowRegistrationsOutbound"):
        stage.tap.list(name)
    stage.tap.list("ParkedCalls", ParkingLot="nosuch")
    stage.tap.ask("Status", Channel="nobody")
    for name in ("SIPpeers", "SIPshowregistry", "IAXpeerlist", "IAXregistry"):
        stage.tap.ask(name)


def _pauses(stage: Stage) -> None:
    ask = stage.tap.ask
    ask("QueuePause", Interface="PJSIP/101", Paused="true", Reason="lunch")
    stage.quiet()
    ask("QueuePause", Interface="PJSIP/101", Paused="true", Queue="sales", Reason="coffee")
    stage.tap.list("QueueStatus", Queue="sales")
    ask("QueuePause", Interface="PJSIP/101", Paused="true")
    stage.quiet()
    stage.tap.list("DeviceStateList")
    ask("QueuePause", Interface="PJSIP/101", Paused="false", Reason="back")
    ask("QueuePause", Interface="PJSIP/101", Paused="0")
    for headers in (
        {"Interface": "PJSIP/101", "Queue": "support", "Paused": "true"},
        {"Interface": "PJSIP/101", "Queue": "nosuch", "Paused": "true"},
        {"Interface": "PJSIP/nobody", "Paused": "true"},
        {"Interface": "PJSIP/101"},
        {"Paused": "true"},
    ):
        ask("QueuePause", **headers)


def _members(stage: Stage) -> None:
    ask = stage.tap.ask
    ask("QueueAdd", Queue="sales", Interface="PJSIP/900", MemberName='Zoë "Z"', Penalty="3", Paused="1", Reason="x")
    ask("QueueAdd", Queue="sales", Interface="PJSIP/201", Penalty="-4", StateInterface="PJSIP/900", Reason="y")
    stage.quiet()
    stage.tap.list("QueueStatus", Queue="sales")
    stage.tap.list("QueueStatus", Queue="sales", Member="PJSIP/900")
    ask("QueuePenalty", Queue="sales", Interface="PJSIP/201", Penalty="7")
    ask("QueuePenalty", Interface="PJSIP/201", Penalty="x")
    ask("QueueRemove", Queue="sales", Interface="PJSIP/201")
    ask("QueueRemove", Queue="sales", Interface="PJSIP/900")
    stage.quiet()
    stage.tap.list("DeviceStateList")


def _member_errors(stage: Stage) -> None:
    ask = stage.tap.ask
    for headers in (
        {"Queue": "sales", "Interface": "PJSIP/101"},
        {"Queue": "nosuch", "Interface": "PJSIP/201"},
        {"Interface": "PJSIP/201"},
        {"Queue": "sales"},
    ):
        ask("QueueAdd", **headers)
        ask("QueueRemove", **headers)
    ask("QueueRemove", Queue="sales", Interface="PJSIP/nobody")
    for headers in (
        {"Interface": "PJSIP/101"},
        {"Penalty": "1"},
        {"Interface": "PJSIP/nobody", "Penalty": "1"},
        {"Interface": "PJSIP/101", "Penalty": "-1"},
        {"Interface": "PJSIP/101", "Penalty": "1", "Queue": "nosuch"},
    ):
        ask("QueuePenalty", **headers)


def _register(stage: Stage, on: bool) -> None:
    since = len(stage.tap.seen)
    stage.register(on)
    stage.tap.event("Registry", since, Status="Registered" if on else "Unregistered")
    stage.tap.list("PJSIPShowRegistrationsOutbound")


def _park(stage: Stage, who: str, told: str = "", **headers: str) -> None:
    """``told``: whose leg hears the space, and is rung when nobody fetches the call."""
    since = len(stage.tap.seen)
    back = {"TimeoutChannel": stage.channel(told)} if told else {}
    stage.tap.ask("Park", Channel=stage.channel(who), **back, **headers)
    stage.tap.event("MusicOnHoldStart", since)
    stage.tap.event("Hangup", since)


def _park_errors(stage: Stage) -> None:
    who = stage.channel("201")
    for headers in (
        {},
        {"Channel": "nobody"},
        {"Channel": "nobody", "Timeout": "x"},
        {"Channel": who, "Timeout": "x"},
        {"Channel": who, "Parkinglot": "nosuch"},
    ):
        stage.tap.ask("Park", **headers)


def _fetch(stage: Stage, who: str) -> None:
    since = len(stage.tap.seen)
    stage.dial(who, _space(stage))
    stage.tap.event("UnParkedCall", since)


def _fetch_by_action(stage: Stage) -> None:
    since = len(stage.tap.seen)
    exten = _space(stage)
    stage.originate("p-fetch", Context="from-internal", Exten=exten, Priority="1", CallerID='"Fetch" <900>')
    stage.tap.event("UnParkedCall", since)


def _space(stage: Stage) -> str:
    """Where somebody was parked last."""
    return [one for one in stage.tap.seen if one.name == "ParkedCall"][-1].get("ParkingSpace")


def _refer_to_park(stage: Stage, who: str) -> None:
    since = len(stage.tap.seen)
    stage.refer(who, "700")
    stage.tap.event("MusicOnHoldStart", since)
    stage.tap.event("Hangup", since)


def _come_back(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.tap.event("ParkedCallTimeOut", since)
    stage.tap.event("DialState", since)


def _sent_on(stage: Stage, by: str, number: str) -> None:
    since = len(stage.tap.seen)
    stage.tap.ask("BlindTransfer", Channel=stage.uniqueid(by), Context="from-internal", Exten=number)
    stage.tap.event("BridgeEnter", since)


def _redirected(stage: Stage, who: str, number: str) -> None:
    since = len(stage.tap.seen)
    ask = {"Channel": stage.uniqueid(who), "Context": "from-internal", "Exten": number, "Priority": "1"}
    stage.tap.ask("Redirect", **ask)
    stage.tap.event("BridgeEnter", since)


def _wait_in_queue(stage: Stage) -> None:
    since = len(stage.tap.seen)
    stage.dial("trunk", "601")
    stage.tap.event("QueueCallerJoin", since)


def _recordings(stage: Stage) -> None:
    channel = stage.uniqueid("101")
    stage.tap.ask("MixMonitor", Channel=channel, File="demo-play.wav", Options="b")
    stage.quiet()
    for state in ("1", "0"):
        stage.tap.ask("MixMonitorMute", Channel=channel, Direction="both", State=state)
        stage.quiet()
    stage.tap.ask("StopMixMonitor", Channel=channel)
    stage.quiet()
    stage.tap.ask("StopMixMonitor", Channel=channel)
    for name in ("MixMonitor", "StopMixMonitor", "MixMonitorMute"):
        for headers in ({}, {"Channel": "nobody"}):
            stage.tap.ask(name, Direction="both", State="1", File="x.wav", **headers)


def _keys_and_mutes(stage: Stage) -> None:
    channel = stage.uniqueid("101")
    for headers in ({"Channel": channel}, {"Channel": "nobody"}, {}):
        stage.tap.ask("MuteAudio", Direction="in", State="on", **headers)
        stage.tap.ask("PlayDTMF", Digit="5", **headers)
        stage.tap.ask("BlindTransfer", Context="from-internal", **headers)
    stage.tap.ask("MuteAudio", Channel=channel, Direction="in", State="off")
    stage.tap.ask("Redirect", Channel="nobody", Context="from-internal", Exten="101", Priority="1")


def _record_room(stage: Stage) -> None:
    for name in ("ConfbridgeStartRecord", "ConfbridgeStartRecord", "ConfbridgeStopRecord", "ConfbridgeStopRecord"):
        stage.tap.ask(name, Conference="801")
        stage.quiet()
    for name in ("ConfbridgeStartRecord", "ConfbridgeStopRecord"):
        stage.tap.ask(name)
        stage.tap.ask(name, Conference="9")


def _kick_all(stage: Stage) -> None:
    stage.tap.ask("ConfbridgeKick", Conference="801", Channel="all")


def _hang_up(stage: Stage, who: str) -> None:
    stage.tap.ask("Hangup", Channel=stage.uniqueid(who), Cause="16")


STEPS: dict[str, Step] = {
    "a phone dials, the other rings": lambda s: s.dial("201", "101"),
    "it answers": lambda s: s.answer("101"),
    "the callee holds": lambda s: s.hold("101", True),
    "lists during a call": _lists,
    "the callee takes back": lambda s: s.hold("101", False),
    "the callee hangs up": lambda s: s.hangup("101"),
    "a second call": _talk,
    "the caller hangs up": lambda s: s.hangup("201"),
    "a call to be hung up by an action": _talk,
    "an action hangs the callee up": lambda s: _hang_up(s, "101"),
    "another call to be hung up by an action": _talk,
    "held, and": lambda s: s.hold("101", True),
    "an action hangs the held caller up": lambda s: _hang_up(s, "201"),
    "rings": lambda s: s.dial("201", "101"),
    "the caller gives up": lambda s: s.hangup("201"),
    "rings again": lambda s: s.dial("201", "101"),
    "the callee refuses": lambda s: s.reject("101"),
    "rings for an action": lambda s: s.dial("201", "101"),
    "an action hangs the ringing caller up": lambda s: _hang_up(s, "201"),
    "rings for another action": lambda s: s.dial("201", "101"),
    "an action hangs the ringing callee up": lambda s: _hang_up(s, "101"),
    "a queue's caller waits and gives up": _abandon_waiting,
    "a queue rings a member": _ring_queue,
    "lists while a queue rings": _queue_lists,
    "the member answers": lambda s: s.answer("101"),
    "the member holds": lambda s: s.hold("101", True),
    "the member takes back": lambda s: s.hold("101", False),
    "the queue's caller hangs up": lambda s: s.hangup("trunk"),
    "a queue call": _serve,
    "the member hangs up": lambda s: s.hangup("101"),
    "a queue call to pass on": _serve,
    "the member passes it on": _pass_on,
    "who got it hangs up": lambda s: s.hangup("900"),
    "a queue rings": _ring_queue,
    "the member refuses": lambda s: s.reject("101"),
    "the queue tries again": _ring_again,
    "the caller gives up while it rings": lambda s: s.hangup("trunk"),
    "a queue rings, to be picked up": _ring_queue,
    "somebody picks the queue's call up": lambda s: _pickup(s, "p-queue"),
    "the picked-up caller hangs up": lambda s: s.hangup("trunk"),
    "lists of the floor": _floor_lists,
    "agents pause": _pauses,
    "members come and go": _members,
    "members that cannot": _member_errors,
    "a phone goes": lambda s: s.plug("101", False),
    "lists without it": _floor_lists,
    "it comes back": lambda s: s.plug("101", True),
    "a registration ends": lambda s: _register(s, False),
    "it is made again": lambda s: _register(s, True),
    "a call to park": _talk,
    "what cannot be parked": _park_errors,
    "an action parks the caller": lambda s: _park(s, "201", "101"),
    "lists of the parked": _floor_lists,
    "somebody fetches him": lambda s: _fetch(s, "900"),
    "lists of the fetched": _channels,
    "who fetched him hangs up": lambda s: s.hangup("900"),
    "another call to park": _talk,
    "an action parks the caller by himself": lambda s: _park(s, "201"),
    "an action fetches him": _fetch_by_action,
    "the fetched one hangs up": lambda s: s.hangup("201"),
    "a third call to park": _talk,
    "an action parks the callee": lambda s: _park(s, "101"),
    "the parked callee hangs up": lambda s: s.hangup("101"),
    "a call that nobody fetches": _talk,
    "it is parked": lambda s: _park(s, "201", "101", Timeout="4000"),
    "it comes back to who parked it": _come_back,
    "who parked it answers": lambda s: s.answer("101"),
    "who came back hangs up": lambda s: s.hangup("201"),
    "a queue call to park": _serve,
    "an action parks the queue's caller": lambda s: _park(s, "trunk", "101"),
    "the parked queue's caller hangs up": lambda s: s.hangup("trunk"),
    "a queue call to be parked by its member": _serve,
    "the member parks it": lambda s: _refer_to_park(s, "101"),
    "an action hangs the parked caller up": lambda s: _hang_up(s, "trunk"),
    "a call to listen to": _talk,
    "somebody listens": lambda s: _spy(s, "p-spy"),
    "lists while somebody listens": _channels,
    "the id is in use": lambda s: _spy(s, "p-spy"),
    "the listener is hung up": lambda s: _hang_up(s, "900"),
    "somebody listens again": lambda s: _spy(s, "p-spy2"),
    "the call ends under the listener": lambda s: s.hangup("101"),
    "listening to nobody": lambda s: _spy(s, "p-spy3"),
    "rings, to be picked up": lambda s: s.dial("201", "101"),
    "somebody picks it up": lambda s: _pickup(s, "p-pick"),
    "the picker is hung up": lambda s: _hang_up(s, "900"),
    "picking up what does not ring": lambda s: _pickup(s, "p-pick2", "PJSIP/101-0000ffff"),
    "click to call": _click,
    "its caller is hung up": lambda s: _hang_up(s, "900"),
    "originates that are refused": _refused_originates,
    "originates that ring in vain": _rung_originate_refused,
    "legs that wait and play": _wait,
    "errors": _errors,
    "a call to record": _talk,
    "it is recorded": _recordings,
    "keys and mutes": _keys_and_mutes,
    "an action sends the caller on": lambda s: _sent_on(s, "101", "900"),
    "who was sent on hangs up": lambda s: s.hangup("201"),
    "a call whose callee is sent on": _talk,
    "an action sends the callee on": lambda s: _sent_on(s, "201", "900"),
    "whom he was sent to hangs up": lambda s: s.hangup("900"),
    "one who waits in a queue": _wait_in_queue,
    "an action sends him elsewhere": lambda s: _redirected(s, "trunk", "900"),
    "who waited hangs up": lambda s: s.hangup("trunk"),
    "no room": _no_room,
    "the first in a room": lambda s: _join(s, "201"),
    "the second in a room": lambda s: _join(s, "202"),
    "lists of a room": _room_lists,
    "errors with a room": _room_errors,
    "mute and unmute": _mutes,
    "whose picture a room is shown": _pictures,
    "lock and unlock": _lock,
    "a room is recorded": _record_room,
    "kick": _kick,
    "the last one leaves": lambda s: s.hangup("202"),
    "invited and hung up": _invite,
    "one more in a room": lambda s: _join(s, "202"),
    "all are kicked": _kick_all,
}
