"""What our builders let through, sent to a real Asterisk: each is one action to it, whatever its texts hold."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable

import pytest

from ami import Action, ActionRefused, Address, EncodingRefused, Message, Protocol, Session, actions
from tests.ami.builders import PAYLOADS, SAFE, TEXTS, build
from tests.lab.checker import Checker
from tests.lab.configuration import ami_secret
from tests.lab.instance import HOST, Asterisk

pytestmark = pytest.mark.asterisk

LIVE = "Local/506@from-internal/n"
WAIT_S = 30.0


class Wire:
    """A connection that sends bytes and keeps every message that comes back, whoever it is for."""

    def __init__(self, asterisk: Asterisk) -> None:
        self._socket = socket.create_connection((HOST, asterisk.ami_port), timeout=WAIT_S)
        self._protocol = Protocol()
        self.messages: list[Message] = []

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, action: Action, action_id: str) -> None:
        self._socket.sendall(action.encode(action_id))

    def read_until(self, action_id: str) -> None:
        """Up to the response to this id, or the end of the stream."""
        while not any(m.response and m.action_id == action_id for m in self.messages):
            data = self._socket.recv(65536)
            if not data:
                return
            self.messages += self._protocol.feed(data)

    def answers(self) -> Counter[str]:
        """How many responses there were to each id; list items are none."""
        return Counter(message.action_id for message in self.messages if message.response)


def passing() -> list[tuple[str, Action]]:
    """Every builder with every payload in every text, as far as they pass; and each as it should be used."""
    found = []
    for builder, name in TEXTS:
        for payload in (*PAYLOADS, *(f"{payload}{SAFE[name]}" for payload in PAYLOADS)):
            try:
                action = build(builder, **{name: payload})
                action.encode("id")
            except EncodingRefused:
                continue
            found.append((f"{builder.__name__} {name}={payload[:40]!r}", action))
    return found + [(builder.__name__, build(builder)) for builder in actions.BUILDERS]


def test_one_action_whatever_it_holds(asterisk: Asterisk, checkers: Callable[..., Checker]) -> None:
    checker = checkers(asterisk)
    for number in range(3):
        checker.originate(LIVE, application="Wait", data="600", channel_id=f"live-{number}")
    before = {row["Uniqueid"] for row in checker.wait_channels(lambda rows: len(rows) == 6)}
    sent = {f"sent-{number}": one for number, one in enumerate(passing())}
    within = {key: action for key, (_, action) in sent.items() if action.name not in ("Challenge", "Login", "Logoff")}
    with Wire(asterisk) as wire:
        login = Action("Login", (("Username", "admin"), ("Secret", ami_secret("admin")), ("Events", "off")))
        wire.send(login, "login")
        wire.read_until("login")
        for key, action in within.items():
            wire.send(action, key)
            wire.read_until(key)
        # All that it makes of them has been answered when this has.
        wire.send(actions.ping(), "end")
        wire.read_until("end")
    answers = wire.answers()
    assert {sent[key][0]: count for key, count in answers.items() if key in sent and count != 1} == {}
    assert set(answers) == {"login", *within, "end"}
    assert len(within) > 500
    # A list that nobody answers with Complete would wait for its time to pass: there is none.
    complete = {m.action_id for m in wire.messages if m.get("EventList").lower().startswith("complete")}
    refused = {m.action_id for m in wire.messages if m.response == "Error"}
    assert {key for key, action in within.items() if action.is_list} <= complete | refused
    assert before <= {row["Uniqueid"] for row in checker.channels()}


def test_one_login_whatever_it_holds(asterisk: Asterisk) -> None:
    logins = [(says, action) for says, action in passing() if action.name == "Login"]
    assert len(logins) > 20
    # Each ends its session a second after its answer: so many at once, but fewer than Asterisk takes.
    for first in range(0, len(logins), 40):
        some = logins[first : first + 40]
        wires = [Wire(asterisk) for _ in some]
        for wire, (_, login) in zip(wires, some, strict=True):
            wire.send(login, "login")
        for wire, (says, _) in zip(wires, some, strict=True):
            with wire:
                wire.read_until("nothing of that name")
                assert wire.answers() == {"login": 1}, says
                assert [m.get("Message") for m in wire.messages] == ["Authentication failed"], says


LISTS = [one for one in map(build, actions.BUILDERS) if one.is_list]
FORBIDDEN = {"PJSIPShowEndpoints", "PJSIPShowContacts"}  # they need class system


@pytest.mark.parametrize("user", ["admin", "panel"])
async def test_every_list_comes_to_its_end(asterisk: Asterisk, user: str) -> None:
    session = await Session.open(Address.parse(asterisk.ami_url(user)))
    listed: dict[str, int] = {}
    for action in LISTS:
        if user == "panel" and action.name in FORBIDDEN:
            with pytest.raises(ActionRefused, match="Permission denied"):
                await session.list(action)
        else:
            listed[action.name] = len(await session.list(action))
    await session.close()
    # What there is on an idle lab.
    assert listed["ExtensionStateList"] >= 45
    assert listed["QueueStatus"] == 3  # vip and its two members
    assert listed["QueueSummary"] >= 5
    assert listed["Parkinglots"] == 1
    assert listed["SIPpeers"] == (4 if asterisk.version == "16" else 0)
    assert listed["IAXpeerlist"] == 0  # its module is not loaded
    if user == "admin":
        assert listed["PJSIPShowEndpoints"] == 21
        assert listed["PJSIPShowContacts"] == 0  # "No Contacts found": nobody is registered


async def test_a_list_of_a_module_that_is_not_loaded_is_empty(asterisk: Asterisk) -> None:
    module = "res_manager_devicestate.so"
    asterisk.cli(f"module unload {module}")
    try:
        session = await Session.open(Address.parse(asterisk.ami_url()))
        assert await session.list(actions.device_state_list()) == []
        await session.close()
    finally:
        asterisk.cli(f"module load {module}")
