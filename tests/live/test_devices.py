"""Devices, hints and trunks: Asterisk's own word on each, by events and by lists."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ami.protocol import Message
from live.resync import STEPS
from tests.live.scene import Scene, message


@pytest.fixture
def scene() -> Scene:
    return Scene()


def take(scene: Scene, action: str, items: Iterable[Message]) -> int:
    (step,) = (step for step in STEPS if step.action.name == action)
    return step.replace(scene.pbx, list(items), scene.now)


def told(scene: Scene, kind: str) -> dict[str, dict[str, object]]:
    scene.settled()
    return {key: dict(fields) for key, fields in scene.pbx.entities().get(kind, {}).items()}


# --- devices


def device(name: str, state: str) -> Message:
    return message("Event", "DeviceStateChange", Device=name, State=state)


def test_devices_by_events(scene: Scene) -> None:
    scene.event("DeviceStateChange", Device="PJSIP/101", State="INUSE")
    scene.event("DeviceStateChange", Device="Queue:sales_avail", State="NOT_INUSE")
    scene.event("DeviceStateChange", Device="PJSIP/101", State="RINGINUSE")
    assert told(scene, "device") == {
        "lab/PJSIP/101": {"state": "RINGINUSE"},
        "lab/Queue:sales_avail": {"state": "NOT_INUSE"},
    }


def test_devices_by_list(scene: Scene) -> None:
    assert take(scene, "DeviceStateList", [device("PJSIP/101", "INUSE"), device("PJSIP/102", "BUSY")]) == 2
    scene.event("DeviceStateChange", Device="PJSIP/101", State="NOT_INUSE")
    listed = [device("PJSIP/101", "NOT_INUSE")]
    assert take(scene, "DeviceStateList", listed) == 1, "one is no more"
    assert take(scene, "DeviceStateList", listed) == 0
    assert told(scene, "device") == {"lab/PJSIP/101": {"state": "NOT_INUSE"}}


@pytest.mark.parametrize("name", ["Local/101@from-queue", "CBAnn/801", "DAHDI/i1/5551234"])
def test_what_the_list_never_has_is_no_device(scene: Scene, name: str) -> None:
    """Events tell of these, the list does not [16 and 22]: they would be drift at each reading, and stay for ever."""
    scene.event("DeviceStateChange", Device=name, State="INUSE")
    assert told(scene, "device") == {}
    assert take(scene, "DeviceStateList", []) == 0


def test_a_rooms_recorder_is_listed_and_so_told(scene: Scene) -> None:
    scene.event("DeviceStateChange", Device="CBRec/803", State="INUSE")
    assert told(scene, "device").keys() == {"lab/CBRec/803"}


# --- hints


def hint(exten: str, status: int, text: str) -> Message:
    about = {"Exten": exten, "Context": "ext-local", "Hint": f"PJSIP/{exten}"}
    return message("Event", "ExtensionStatus", **about, Status=status, StatusText=text)


def test_hints(scene: Scene) -> None:
    assert take(scene, "ExtensionStateList", [hint("101", 0, "Idle"), hint("102", 4, "Unavailable")]) == 2
    scene.pbx.apply(hint("101", 9, "InUse&Ringing"), scene.now)
    want = {"exten": "101", "context": "ext-local", "hint": "PJSIP/101", "status": 9, "text": "InUse&Ringing"}
    assert told(scene, "extension")["lab/101@ext-local"] == want
    assert take(scene, "ExtensionStateList", [hint("101", 9, "InUse&Ringing")]) == 1
    assert set(told(scene, "extension")) == {"lab/101@ext-local"}


def test_a_hint_that_a_reload_removed_is_no_more(scene: Scene) -> None:
    scene.pbx.apply(hint("101", 0, "Idle"), scene.now)
    scene.pbx.apply(hint("101", -2, "Removed"), scene.now)
    scene.pbx.apply(hint("102", -1, "Deactivated"), scene.now)
    assert set(told(scene, "extension")) == {"lab/102@ext-local"}


def test_an_extension_and_its_phone(scene: Scene) -> None:
    about = {"Exten": "600", "Context": "ext-queues", "Hint": "Queue:600", "Status": 0, "StatusText": "Idle"}
    take(scene, "ExtensionStateList", [message("Event", "ExtensionStatus", **about), hint("101", 0, "Idle")])
    assert (scene.pbx.devices.phone_of("101"), scene.pbx.devices.extension_of("PJSIP/101")) == ("PJSIP/101", "101")
    assert (scene.pbx.devices.phone_of("600"), scene.pbx.devices.extension_of("Queue:600")) == ("", "")


def test_a_reload_is_noticed(scene: Scene) -> None:
    scene.event("Reload", Module="pbx_config.so", Status=0)
    assert scene.pbx.reloads == 1, "the worker reads the lists again"


# --- trunks


def registration(status: str) -> Message:
    uris = {"ClientUri": "sip:me@provider.example", "ServerUri": "sip:provider.example"}
    return message("Event", "OutboundRegistrationDetail", ObjectName="trunk", **uris, Status=status)


def test_a_trunk_is_what_matches_the_pattern(scene: Scene) -> None:
    take(scene, "DeviceStateList", [device("PJSIP/trunk", "NOT_INUSE"), device("PJSIP/101", "INUSE")])
    assert told(scene, "trunk") == {
        "lab/PJSIP/trunk": {
            "name": "PJSIP/trunk",
            "state": "NOT_INUSE",
            "reachable": "yes",
            "registration": "",
            "channels": 0,
        }
    }
    scene.event("DeviceStateChange", Device="PJSIP/trunk", State="UNAVAILABLE")
    assert told(scene, "trunk")["lab/PJSIP/trunk"]["reachable"] == "no"
    take(scene, "DeviceStateList", [])
    assert told(scene, "trunk") == {}


def test_what_it_carries(scene: Scene) -> None:
    scene.new("a", "PJSIP/trunk-00000001", "ring")
    scene.new("b", "PJSIP/trunk-00000002", "up")
    scene.new("c", "PJSIP/101-00000003", "up")
    (trunk,) = told(scene, "trunk").values()
    assert (trunk["channels"], trunk["state"], trunk["reachable"]) == (2, "", "")
    scene.hangup("a")
    assert told(scene, "trunk")["lab/PJSIP/trunk"]["channels"] == 1
    scene.hangup("b")
    assert told(scene, "trunk") == {}, "nothing more is told of it"


def test_its_registration(scene: Scene) -> None:
    take(scene, "PJSIPShowRegistrationsOutbound", [registration("Registered")])
    about = {"Username": "sip:me@provider.example", "Domain": "sip:provider.example"}
    assert told(scene, "trunk")["lab/PJSIP/trunk"]["registration"] == "Registered"
    scene.event("Registry", ChannelType="PJSIP", **about, Status="Rejected", Cause="403")
    assert told(scene, "trunk")["lab/PJSIP/trunk"]["registration"] == "Rejected"
    scene.event("Registry", ChannelType="PJSIP", Username="sip:x@y", Domain="sip:y", Status="Registered")
    assert set(told(scene, "trunk")) == {"lab/PJSIP/trunk"}, "of one in no list it is not known whose it is"
    take(scene, "PJSIPShowRegistrationsOutbound", [])
    assert told(scene, "trunk") == {}


def test_a_registrations_password_is_no_trunk(scene: Scene) -> None:
    secret = message("Event", "AuthDetail", ObjectName="trunk-auth", Username="me", Password="hush")
    take(scene, "PJSIPShowRegistrationsOutbound", [registration("Registered"), secret])
    assert set(told(scene, "trunk")) == {"lab/PJSIP/trunk"}


def test_a_registration_of_chan_sip_is_a_line_of_its_own(scene: Scene) -> None:
    item = message("Event", "RegistryEntry", Host="provider.example", Username="me", State="Registered")
    take(scene, "SIPshowregistry", [item])
    scene.event("Registry", ChannelType="SIP", Username="me", Domain="provider.example", Status="Timeout")
    (trunk,) = told(scene, "trunk").values()
    assert (trunk["name"], trunk["registration"]) == ("SIP/me@provider.example", "Timeout")


def test_all_is_told_anew_after_an_error_of_ours(scene: Scene) -> None:
    take(scene, "DeviceStateList", [device("PJSIP/trunk", "NOT_INUSE")])
    scene.pbx.apply(hint("101", 0, "Idle"), scene.now)
    before = [told(scene, kind) for kind in ("device", "extension", "trunk")]
    scene.pbx.retell()
    assert [told(scene, kind) for kind in ("device", "extension", "trunk")] == before
