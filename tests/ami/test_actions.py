from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from ami import EncodingRefused, actions
from ami.actions import Action
from tests.ami.builders import build


def test_the_set_is_closed() -> None:
    """A new builder is a decision: add it here, and to the package's ``__all__``, on purpose."""
    names = {builder.__name__ for builder in actions.BUILDERS}
    assert names == {
        "challenge",
        "login_md5",
        "logoff",
        "ping",
        "core_status",
        "core_settings",
        "list_commands",
        "core_show_channels",
        "bridge_list",
        "status",
        "queue_status",
        "queue_summary",
        "parked_calls",
        "parking_lots",
        "device_state_list",
        "extension_state_list",
        "pjsip_show_endpoints",
        "pjsip_show_contacts",
        "pjsip_show_registrations_outbound",
        "sip_peers",
        "sip_show_registry",
        "iax_peer_list",
        "iax_registry",
        "originate_application",
        "originate_extension",
        "listen",
        "whisper",
        "barge",
        "pickup",
        "invite",
        "hold_line",
        "tone",
        "hangup",
        "redirect",
        "redirect_both",
        "blind_transfer",
        "atxfer",
        "cancel_atxfer",
        "park",
        "mix_monitor",
        "stop_mix_monitor",
        "mix_monitor_mute",
        "mute_audio",
        "play_dtmf",
        "spy_mode",
        "confbridge_list_rooms",
        "confbridge_list",
        "confbridge_mute",
        "confbridge_unmute",
        "confbridge_kick",
        "confbridge_lock",
        "confbridge_unlock",
        "confbridge_mute_participants",
        "confbridge_unmute_participants",
        "confbridge_kick_participants",
        "confbridge_mute_all",
        "confbridge_unmute_all",
        "confbridge_kick_all",
        "confbridge_start_record",
        "confbridge_stop_record",
        "confbridge_set_single_video_src",
        "queue_add",
        "queue_remove",
        "queue_pause",
        "queue_pause_everywhere",
        "queue_penalty",
        "queue_member_ring_in_use",
        "queue_change_priority_caller",
        "queue_withdraw_caller",
    }
    made_here = {
        name
        for module in vars(actions).values()
        if inspect.ismodule(module) and module is not actions.base
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
    }
    assert made_here == names


def test_the_action_id_comes_second() -> None:
    assert actions.ping().encode("x-1") == b"Action: Ping\r\nActionID: x-1\r\n\r\n"


def test_login() -> None:
    action = actions.login_md5("panel", "0123abcd", "system,call,agent")
    assert action.encode("1") == (
        b"Action: Login\r\nActionID: 1\r\nAuthType: MD5\r\nUsername: panel\r\nKey: 0123abcd\r\n"
        b"Events: system,call,agent\r\n\r\n"
    )
    assert "0123abcd" not in repr(action)
    assert "0123abcd" not in f"{action}"


@pytest.mark.parametrize("mask", ["", "System", "call,", "call, agent", "call\nagent"])
def test_login_masks(mask: str) -> None:
    with pytest.raises(EncodingRefused, match=r"^Events: "):
        actions.login_md5("panel", "k", mask)


def test_hangup() -> None:
    action = actions.hangup("phx22-1795412884.225")
    assert action.mutating
    assert action.headers == (("Channel", "phx22-1795412884.225"), ("Cause", "16"))


@pytest.mark.parametrize("uniqueid", ["", " ", "/.*/", "/", " /.*/", "\t/.*/", "1.1 "])
def test_hangup_of_many_is_refused(uniqueid: str) -> None:
    with pytest.raises(EncodingRefused, match=r"^Channel: "):
        actions.hangup(uniqueid)


@pytest.mark.parametrize("cause", [-1, 128])
def test_hangup_causes(cause: int) -> None:
    with pytest.raises(EncodingRefused, match=r"^Cause: "):
        actions.hangup("1.1", cause)


def test_what_only_asks_is_not_marked_as_changing_something() -> None:
    asks = {"Challenge", "Login", "Logoff", "Ping", "CoreStatus", "CoreSettings", "ListCommands"}
    for action in map(build, actions.BUILDERS):
        assert action.mutating == (not action.is_list and action.name not in asks)


def test_lists() -> None:
    assert {a.name for a in map(build, actions.BUILDERS) if a.is_list} == {
        "CoreShowChannels",
        "BridgeList",
        "Status",
        "QueueStatus",
        "QueueSummary",
        "ParkedCalls",
        "Parkinglots",
        "DeviceStateList",
        "ExtensionStateList",
        "PJSIPShowEndpoints",
        "PJSIPShowContacts",
        "PJSIPShowRegistrationsOutbound",
        "SIPpeers",
        "SIPshowregistry",
        "IAXpeerlist",
        "IAXregistry",
        "ConfbridgeListRooms",
        "ConfbridgeList",
    }


WHOLE = "PJSIP/101-0000008c"
ON_PARTICIPANTS = (actions.confbridge_mute, actions.confbridge_unmute, actions.confbridge_kick)


@pytest.mark.parametrize("build", ON_PARTICIPANTS)
@pytest.mark.parametrize(
    "channel", [WHOLE, "Local/801@rooms-00000001;2", "SIP/trunk-a-0000001f", "IAX2/401-3832", "DAHDI/33-1"]
)
def test_a_participant_is_named_whole(build: Callable[[str, str], Action], channel: str) -> None:
    assert build("801", channel).headers == (("Conference", "801"), ("Channel", channel))


@pytest.mark.parametrize("build", ON_PARTICIPANTS)
@pytest.mark.parametrize(
    "channel",
    [
        "",
        "all",
        "participants",
        "PJSIP/101",  # a prefix, which Asterisk takes for the first that matches
        "PJSIP/101-",
        "PJSIP/101-0000008c;3",
        "PJSIP/101-0000008C",
        "/.*/",
        "/PJSIP-0000008c",
        f" {WHOLE}",
        f"{WHOLE} ",
        f"{WHOLE}\n",
        f"all\r\nChannel: {WHOLE}",
        "1795412884.225",
    ],
)
def test_a_prefix_and_the_magic_words_are_refused(build: Callable[[str, str], Action], channel: str) -> None:
    with pytest.raises(EncodingRefused, match=r"^Channel: "):
        build("801", channel)


@pytest.mark.parametrize("conference", ["", " ", " 801", "801\t"])
def test_a_room_is_named(conference: str) -> None:
    for ask in (actions.confbridge_list, actions.confbridge_lock, actions.confbridge_unlock):
        with pytest.raises(EncodingRefused, match=r"^Conference: "):
            ask(conference)
    with pytest.raises(EncodingRefused, match=r"^Conference: "):
        actions.confbridge_mute(conference, WHOLE)


def test_no_rooms_are_an_empty_list() -> None:
    assert "No active conferences." in actions.confbridge_list_rooms().empty_errors
    assert "No Conference by that name found." in actions.confbridge_list("801").empty_errors


def test_an_asterisk_without_the_module_has_none_of_what_it_lists() -> None:
    text = "Invalid/unknown command: SIPpeers. Use Action: ListCommands to show available commands."
    assert actions.sip_peers().empty_errors == (text,)
    for action in map(build, actions.BUILDERS):
        assert action.is_list == any(f"command: {action.name}. " in error for error in action.empty_errors)


def test_all_queues_or_one() -> None:
    assert actions.queue_status().headers == ()
    assert actions.queue_status("sales").headers == (("Queue", "sales"),)
    with pytest.raises(EncodingRefused, match=r"^Queue: "):
        actions.queue_status(" sales")


@pytest.mark.parametrize(
    ("action", "lines"),
    [
        (
            actions.redirect_both("1.1", "from-internal", "801", "1.2", "rooms", "802"),
            "Redirect|Channel: 1.1|Context: from-internal|Exten: 801|Priority: 1"
            "|ExtraChannel: 1.2|ExtraContext: rooms|ExtraExten: 802|ExtraPriority: 1",
        ),
        (
            actions.blind_transfer("1.1", "from-internal", "*72"),
            "BlindTransfer|Channel: 1.1|Context: from-internal|Exten: *72",
        ),
        (
            actions.park("1.1", "PJSIP/101-0000008c", 30_000),
            "Park|Channel: 1.1|TimeoutChannel: PJSIP/101-0000008c|Timeout: 30000|Parkinglot: default",
        ),
        (actions.spy_mode("phx-listen-1", "barge"), "PlayDTMF|Channel: phx-listen-1|Digit: 6|Receive: true"),
        (actions.play_dtmf("1.1", "#"), "PlayDTMF|Channel: 1.1|Digit: #|Receive: false"),
        (actions.mix_monitor("1.1", "call.wav"), "MixMonitor|Channel: 1.1|File: call.wav|Options: b"),
        (actions.mix_monitor_mute("1.1", True), "MixMonitorMute|Channel: 1.1|Direction: both|State: 1"),
        (actions.stop_mix_monitor("1.1"), "StopMixMonitor|Channel: 1.1"),
        (actions.mute_audio("1.1", "in", "off"), "MuteAudio|Channel: 1.1|Direction: in|State: off"),
        (actions.confbridge_kick_participants("801"), "ConfbridgeKick|Conference: 801|Channel: participants"),
        (actions.confbridge_mute_all("801"), "ConfbridgeMute|Conference: 801|Channel: all"),
        (
            actions.queue_add("sales", "Local/104@agents/n", member_name="Zoë", state_interface="hint:104@agents"),
            "QueueAdd|Queue: sales|Interface: Local/104@agents/n|Penalty: 0|Paused: false|MemberName: Zoë"
            "|StateInterface: hint:104@agents",
        ),
        (
            actions.queue_pause("sales", "PJSIP/101", False),
            "QueuePause|Queue: sales|Interface: PJSIP/101|Paused: false",
        ),
        (
            actions.queue_pause_everywhere("PJSIP/101", True, "lunch"),
            "QueuePause|Interface: PJSIP/101|Paused: true|Reason: lunch",
        ),
    ],
    ids=lambda one: one.name if isinstance(one, Action) else "",
)
def test_what_is_sent(action: Action, lines: str) -> None:
    name, *headers = lines.split("|")
    assert action.encode("7").decode() == "\r\n".join([f"Action: {name}", "ActionID: 7", *headers, "", ""])


@pytest.mark.parametrize(
    ("refused", "field"),
    [
        (lambda: actions.redirect("1.1", "from-internal", "101,1"), "Exten"),
        (lambda: actions.redirect_both("1.1", "a", "1", "/.*/", "a", "1"), "ExtraChannel"),
        (lambda: actions.redirect_both("1.1", "a", "1", "1.2", "a b", "1"), "ExtraContext"),
        (lambda: actions.park("1.1", "Local/101@from-internal-0000008c;1", 1), "TimeoutChannel"),
        (lambda: actions.park("1.1", "DAHDI/i1/5551234-a", 1), "TimeoutChannel"),  # it would ring a number outside
        (lambda: actions.park("1.1", "PJSIP/101-0000008c", -1), "Timeout"),
        (lambda: actions.mix_monitor("1.1", "a.wav,b,touch /tmp/x"), "File"),
        (lambda: actions.mix_monitor("1.1", "../a.wav"), "File"),
        (lambda: actions.play_dtmf("1.1", "12"), "Digit"),
        (lambda: actions.queue_add("sales", "Local/101@agents&PJSIP/1"), "Interface"),
        (lambda: actions.queue_add("sales", "PJSIP/1", member_name="a|b"), "MemberName"),
        (lambda: actions.queue_add("sales", "PJSIP/1", member_name="é" * 40), "MemberName"),
        (lambda: actions.queue_pause("sales", "PJSIP/1", True, "a;b"), "Reason"),
        (lambda: actions.queue_pause("", "PJSIP/1", True), "Queue"),  # which would be all of them
        (lambda: actions.queue_penalty("sales", "PJSIP/1", -1), "Penalty"),
        (lambda: actions.hold_line("PJSIP/900", 3601, channel_id="a", caller_name="b"), "Data"),
    ],
)
def test_what_is_refused(refused: Callable[[], Action], field: str) -> None:
    with pytest.raises(EncodingRefused, match=rf"^{field}: "):
        refused()
