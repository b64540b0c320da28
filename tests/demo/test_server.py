"""Our own client, worker and model on the demo: its lists equal its state, every action works, refusals too."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import cast

import pytest

import ami
from ami import actions
from ami.actions import Action
from ami.protocol import Message
from demo import server as servers
from demo.channels import UP, Channel
from demo.running import Demo
from demo.scenario import ROOM
from floor import worker as workers
from tests.asterisk.desk import Desk
from tests.lab.checker import Rows
from tests.lab.instance import Asterisk

FAST = 20.0


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    demo = Demo(seed=4, speed=FAST, secret="s3cret")
    await demo.start()
    yield demo
    await demo.stop()


async def _until(condition: object, seconds: float = 8.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # the demo's state raises no asyncio event
            await asyncio.sleep(0.02)


async def _talking(demo: Demo) -> Channel:
    """A callee who talks on the phone."""

    def found() -> list[Channel]:
        return [one for one in demo.pbx.channels.values() if one.bridge and not one.sits and one.caller]

    await _until(found)
    return found()[0]


async def _rows(session: ami.Session) -> Rows:
    return [dict(item.items()) for item in await session.list(actions.core_show_channels())]


class Told:
    """The events of a session."""

    def __init__(self) -> None:
        self.events: list[Message] = []

    def __call__(self, message: Message) -> None:
        self.events.append(message)

    async def wait(self, name: str, **values: str) -> Message:
        def found() -> list[Message]:
            fits = [one for one in self.events if one.event == name]
            return [one for one in fits if all(one.get(key) == value for key, value in values.items())]

        await _until(found)
        return found()[0]


def _originate(channel_id: str, **headers: str) -> Action:
    wanted = {"Channel": "PJSIP/2000", "Async": "true", "Timeout": "15000", "ChannelId": channel_id, **headers}
    return Action("Originate", tuple(wanted.items()), mutating=True)


@pytest.mark.django_db(transaction=True)
async def test_after_minutes_of_it_the_model_equals_the_list(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "RECONCILE_S", 1e6)  # what the model knows it knows from events
    async with Desk(cast("Asterisk", None), url=demo.url) as desk:  # with a url, it asks no Asterisk for its own
        await desk.live()
        await desk.page.until(lambda: desk.worker.seq > 20)
        await asyncio.sleep(60 / FAST)
        demo.freeze()
        session = await ami.connect(demo.url)
        rows = await _rows(session)
        assert len(rows) > 8
        assert await desk.equals(rows) == []
        assert desk.worker.pbx.unknown == 0
        assert desk.page.snapshots == 1
        assert {row["Uniqueid"] for row in rows} == demo.pbx.channels.keys()
        bridges = await session.list(actions.bridge_list())
        assert {bridge.get("BridgeUniqueid") for bridge in bridges} == demo.pbx.bridges.keys()
        await session.close()


async def test_hang_up(demo: Demo) -> None:
    told = Told()
    session = await ami.connect(demo.url, on_event=told)
    leg = await _talking(demo)
    answer = await session.send(actions.hangup(leg.uniqueid))
    assert answer.get("Message") == "Channel Hungup"
    assert (await told.wait("Hangup", Uniqueid=leg.uniqueid)).get("Cause") == "16"
    assert not leg.alive
    with pytest.raises(ami.ActionRefused, match="No such channel"):
        await session.send(actions.hangup(leg.uniqueid))
    await session.close()


async def test_listen_until_the_call_ends(demo: Demo) -> None:
    told = Told()
    session = await ami.connect(demo.url, on_event=told)
    demo.freeze()  # the phone is answered by the test
    demo.pbx.incoming("PJSIP/2001", "2001", "", "2002")
    leg = next(one for one in demo.pbx.channels.values() if one.device == "PJSIP/2002")
    demo.pbx.answer(leg)
    demo.pbx.later = asyncio.get_running_loop().call_later  # what is frozen are the people
    data = f"{leg.uniqueid},quES"
    await session.send(_originate("spy-1", Application="ChanSpy", Data=data, CallerID='"Phoenix-Spy" <2000>'))
    await told.wait("Newstate", Uniqueid="spy-1", ChannelStateDesc="Ringing")
    demo.pbx.answer(demo.pbx.channels["spy-1"])
    assert (await told.wait("OriginateResponse", Uniqueid="spy-1")).get("Response") == "Success"
    await told.wait("ChanSpyStart", SpyerUniqueid="spy-1", SpyeeUniqueid=leg.uniqueid)
    await session.send(actions.hangup(leg.uniqueid))
    await told.wait("ChanSpyStop", SpyerUniqueid="spy-1")
    await told.wait("Hangup", Uniqueid="spy-1")
    await session.close()


async def test_the_supervisors_phone_answers_by_itself() -> None:
    demo = Demo(secret="s3cret")
    await demo.start()
    told = Told()
    session = await ami.connect(demo.url, on_event=told)
    began = asyncio.get_running_loop().time()
    await session.send(_originate("me-1", Application="Wait", Data="1"))
    await told.wait("Newstate", Uniqueid="me-1", ChannelStateDesc="Up")
    assert 0.8 < asyncio.get_running_loop().time() - began < 2.0
    await session.close()
    await demo.stop()


async def test_pick_up_what_rings(demo: Demo) -> None:
    told = Told()
    session = await ami.connect(demo.url, on_event=told)

    def ringing() -> list[Channel]:
        return [one for one in demo.pbx.channels.values() if one.state == 5 and one.caller]

    for number in range(20):  # a ringing phone may be answered before the supervisor's is
        await _until(ringing)
        target = ringing()[-1]
        await session.send(_originate(f"pick-{number}", Application="PickupChan", Data=target.name))
        await told.wait("OriginateResponse", Uniqueid=f"pick-{number}")
        taken = [one for one in told.events if one.event == "Pickup"]
        if taken:
            break
    assert taken, "nothing was ever picked up"
    leg = demo.pbx.channels[taken[0].get("Uniqueid")]
    assert (leg.state, leg.caller is not None) == (UP, True)
    await session.close()


async def test_a_room_obeys(demo: Demo) -> None:
    told = Told()
    session = await ami.connect(demo.url, on_event=told)
    await _until(lambda: len(demo.pbx.seats.rooms.get(ROOM, _Nobody()).participants) >= 2)
    demo.freeze()
    room = demo.pbx.seats.rooms[ROOM]
    first, second = room.participants[:2]

    async def act(name: str, channel: str = "") -> Message:
        headers = (("Conference", ROOM), *((("Channel", channel),) if channel else ()))
        return await session.send(Action(name, headers, mutating=True))

    assert (await act("ConfbridgeMute", first.channel.name)).get("Message") == "User muted"
    await told.wait("ConfbridgeMute", Uniqueid=first.channel.uniqueid)
    listed = await session.list(Action("ConfbridgeList", (("Conference", ROOM),), is_list=True))
    assert (listed[0].get("Muted"), listed[0].get("Talking")) == ("Yes", "No")
    await act("ConfbridgeUnmute", first.channel.name)
    listed = await session.list(Action("ConfbridgeList", (("Conference", ROOM),), is_list=True))
    assert listed[0].get("Muted") == "No"
    await act("ConfbridgeLock")
    (listing,) = await session.list(Action("ConfbridgeListRooms", is_list=True))
    assert listing.get("Locked") == "Yes"
    late = demo.pbx.incoming("PJSIP/2012", "2012", "", ROOM)
    assert late.sits is None, "a locked room lets nobody in"
    await act("ConfbridgeKick", second.channel.name)
    await told.wait("ConfbridgeLeave", Uniqueid=second.channel.uniqueid)
    assert not second.channel.alive
    await act("ConfbridgeKick", "all")
    assert not demo.pbx.seats.rooms
    with pytest.raises(ami.ActionRefused, match="No active conferences"):
        await act("ConfbridgeLock")
    await session.close()


class _Nobody:
    participants: tuple[()] = ()


async def test_what_cannot_be_originated(demo: Demo) -> None:
    told = Told()
    session = await ami.connect(demo.url, on_event=told)
    for headers, words in (
        ({"Context": "from-internal", "Exten": "7777", "Priority": "1"}, "Extension does not exist"),
        ({"Channel": "PJSIP", "Application": "Wait"}, "Invalid channel"),
        ({"Application": "System", "Data": "ls"}, "Originate Access Forbidden"),
    ):
        with pytest.raises(ami.ActionRefused, match=words):
            await session.send(_originate("no", **headers))
    await session.send(_originate("gone", Channel="PJSIP/4711", Application="Wait", Data="1"))
    response = await told.wait("OriginateResponse", Uniqueid="gone")
    assert (response.get("Response"), response.get("Reason")) == ("Failure", "0")
    with pytest.raises(ami.ActionRefused, match="Invalid/unknown command: Bogus"):
        await session.send(Action("Bogus"))
    await session.close()


async def test_a_wrong_secret_is_refused(demo: Demo) -> None:
    wrong = demo.url.replace("s3cret", "wrong")
    with pytest.raises(ami.LoginRefused, match="Authentication failed"):
        await ami.connect(wrong)
    nobody = demo.url.replace("phoenix:", "root:")
    with pytest.raises(ami.LoginRefused):
        await ami.connect(nobody)


async def _talk(demo: Demo, text: str) -> str:
    """Say something without logging in by our client, and read until the demo closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    writer.write(text.encode())
    try:
        async with asyncio.timeout(4):
            return (await reader.read()).decode()
    finally:
        writer.close()


async def test_before_a_login_nothing_is_allowed(demo: Demo) -> None:
    asked = "Action: Ping\r\nActionID: 1\r\n\r\nActionID: 3\r\n\r\nAction: Challenge\r\nAuthType: MD4\r\n\r\n"
    said = await _talk(demo, f"{asked}Action: Login\r\nUsername: x\r\nSecret: y\r\nActionID: 5\r\n\r\n")
    assert said == (
        "Asterisk Call Manager/11.0.0\r\n"
        "Response: Error\r\nActionID: 1\r\nMessage: Permission denied\r\n\r\n"
        "Response: Error\r\nActionID: 3\r\nMessage: Missing action in request\r\n\r\n"
        "Response: Error\r\nMessage: Must specify AuthType\r\n\r\n"
        "Response: Error\r\nActionID: 5\r\nMessage: Authentication failed\r\n\r\n"
    )


async def test_what_is_too_long_is_refused_and_the_session_lives(demo: Demo) -> None:
    long, many = "x" * 2000, "Variable: a=b\r\n" * 200
    asked = f"Action: Ping\r\nData: {long}\r\n\r\nAction: Ping\r\n{many}\r\nAction: Login\r\n\r\n"
    said = await _talk(demo, asked)
    messages = [line.removeprefix("Message: ") for line in said.split("\r\n") if line.startswith("Message: ")]
    assert messages == [
        "Failed to parse message: line too long",
        "Too many lines in message or allocation failure",
        "Authentication failed",
    ]


async def test_a_plain_login_hears_only_the_classes_it_asked_for(demo: Demo) -> None:
    login = "Action: Login\r\nUsername: phoenix\r\nSecret: s3cret\r\nEvents: agent\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    writer.write(login.encode())
    await _until(lambda: demo.pbx.queues["Sales"].completed > 1, 30)
    writer.write(b"Action: Logoff\r\n\r\n")
    said = (await reader.read()).decode()
    writer.close()
    assert "Event: QueueCallerJoin" in said
    assert "Privilege: agent,all" in said
    assert "Privilege: call,all" not in said
    assert said.endswith("Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n")


async def test_who_does_not_read_is_cut_off_and_costs_the_others_nothing(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "MAX_UNREAD", 64 * 1024)
    session = await ami.connect(demo.url)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", demo.port))
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(deaf, b"Action: Login\r\nUsername: phoenix\r\nSecret: s3cret\r\nEvents: off\r\n\r\n")
    asked = b"Action: ListCommands\r\n\r\n" * 200

    async def flood() -> None:
        while True:
            await loop.sock_sendall(deaf, asked)
            assert (await session.ping()) < 2.0

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(flood(), 8)
    assert (await session.ping()) < 2.0
    deaf.close()
    await session.close()
