from __future__ import annotations

import inspect

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
        "core_status",
        "core_settings",
        "list_commands",
        "hangup",
        "originate_application",
        "listen",
        "whisper",
        "pickup",
    }
    made_here = {
        name
        for name, thing in vars(actions).items()
        if inspect.isfunction(thing) and thing.__module__ == actions.__name__
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
    assert {a.name for a in map(_make, actions.BUILDERS) if a.mutating} == {"Hangup", "Originate"}
    assert [a.name for a in map(_make, actions.BUILDERS) if a.is_list] == ["CoreShowChannels", "BridgeList"]


def _make(builder: object) -> Action:
    assert callable(builder)
    action = builder(**{name: SAFE[name] for name in inspect.signature(builder).parameters})
    assert isinstance(action, Action)
    return action
