from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from ami import EncodingRefused, actions
from ami.actions import Action
from tests.ami.test_encoder import SAFE


def test_the_set_is_closed() -> None:
    """A new builder is a decision: add it here, and to BUILDERS, on purpose."""
    names = {builder.__name__ for builder in actions.BUILDERS}
    assert names == {
        "challenge",
        "login_md5",
        "logoff",
        "ping",
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
        "core_status",
        "core_settings",
        "list_commands",
        "hangup",
        "confbridge_list_rooms",
        "confbridge_list",
        "confbridge_mute",
        "confbridge_unmute",
        "confbridge_kick",
        "confbridge_lock",
        "confbridge_unlock",
        "originate_application",
        "listen",
        "whisper",
        "pickup",
    }
    made_here = {
        name
        for name, thing in vars(actions).items()
        if inspect.isfunction(thing) and thing.__module__ == actions.__name__ and not name.startswith("_")
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


def test_only_what_changes_something_is_marked_so() -> None:
    assert [a.name for a in map(_make, actions.BUILDERS) if a.mutating] == [
        "Hangup",
        "ConfbridgeMute",
        "ConfbridgeUnmute",
        "ConfbridgeKick",
        "ConfbridgeLock",
        "ConfbridgeUnlock",
        *["Originate"] * 4,  # itself, and what listens, whispers, picks up
    ]
    assert [a.name for a in map(_make, actions.BUILDERS) if a.is_list] == [
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
    ]


WHOLE = "PJSIP/101-0000008c"
ON_PARTICIPANTS = (actions.confbridge_mute, actions.confbridge_unmute, actions.confbridge_kick)


@pytest.mark.parametrize("build", ON_PARTICIPANTS)
@pytest.mark.parametrize("channel", [WHOLE, "Local/801@rooms-00000001;2", "SIP/trunk-a-0000001f"])
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
        "PJSIP/101-0000008",
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
    for build in (actions.confbridge_list, actions.confbridge_lock, actions.confbridge_unlock):
        with pytest.raises(EncodingRefused, match=r"^Conference: "):
            build(conference)
    with pytest.raises(EncodingRefused, match=r"^Conference: "):
        actions.confbridge_mute(conference, WHOLE)


def test_no_rooms_are_an_empty_list() -> None:
    assert "No active conferences." in actions.confbridge_list_rooms().empty_errors
    assert "No Conference by that name found." in actions.confbridge_list("801").empty_errors


def test_an_asterisk_without_the_module_has_none_of_what_it_lists() -> None:
    text = "Invalid/unknown command: SIPpeers. Use Action: ListCommands to show available commands."
    assert actions.sip_peers().empty_errors == (text,)
    for action in map(_make, actions.BUILDERS):
        assert action.is_list == any(f"command: {action.name}. " in error for error in action.empty_errors)


def test_all_queues_or_one() -> None:
    assert actions.queue_status().headers == ()
    assert actions.queue_status("sales").headers == (("Queue", "sales"),)
    with pytest.raises(EncodingRefused, match=r"^Queue: "):
        actions.queue_status(" sales")


def _make(builder: object) -> Action:
    assert callable(builder)
    action = builder(**{name: SAFE[name] for name in inspect.signature(builder).parameters})
    assert isinstance(action, Action)
    return action
