"""What has tripped other clients up, as a real Asterisk 22 and 16 send it: recorded, and (marker asterisk) anew."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from ami import IncompleteMessage, Message, Protocol
from tests.lab.fixtures import require
from tests.lab.install import VERSIONS
from tests.lab.traps import LATIN, NAME, RECORDINGS, USER_EVENT, cut_short, instance, provoke

SOURCES = [
    *(pytest.param((version, False), id=f"recorded-{version}") for version in VERSIONS),
    *(pytest.param((version, True), id=f"live-{version}", marks=pytest.mark.asterisk) for version in VERSIONS),
]


@pytest.fixture(scope="module", params=SOURCES)
def streams(request: pytest.FixtureRequest) -> Iterator[tuple[bytes, bytes]]:
    """One session's bytes with all traps in it, and one that Asterisk cut short."""
    version, live = request.param
    if not live:
        yield tuple(
            gzip.decompress((RECORDINGS / f"{name}-{version}.ami.gz").read_bytes()) for name in ("traps", "cut")
        )  # type: ignore[misc]
        return
    require(version)
    with instance(version) as asterisk:
        yield provoke(asterisk), cut_short(asterisk)


@pytest.fixture(scope="module")
def stream(streams: tuple[bytes, bytes]) -> bytes:
    return streams[0]


@pytest.fixture(scope="module")
def messages(stream: bytes) -> list[Message]:
    return list(Protocol().feed(stream))


def answer(messages: list[Message], action_id: str) -> Message:
    (found,) = [m for m in messages if m.response and m.action_id == action_id]
    return found


def named(messages: list[Message], event: str) -> list[Message]:
    found = [m for m in messages if m.event == event]
    assert found, f"there is no {event}"
    return found


def test_byte_by_byte_it_is_the_same(stream: bytes, messages: list[Message]) -> None:
    protocol = Protocol()
    got = [m.raw for i in range(len(stream)) for m in protocol.feed(stream[i : i + 1])]
    protocol.eof()
    assert got == [m.raw for m in messages]


def test_cut_anywhere_a_name_in_utf8_is_whole(stream: bytes) -> None:
    name = "Zoë 😀".encode()
    at = stream.index(name)
    for cut in range(at, at + len(name) + 1):
        protocol = Protocol()
        got = [*protocol.feed(stream[:cut]), *protocol.feed(stream[cut : stream.index(b"\r\n\r\n", cut) + 4])]
        assert any("Zoë 😀" in value for _, value in got[-1].items())


def test_after_a_stray_empty_line_the_next_message_has_its_name(stream: bytes, messages: list[Message]) -> None:
    strays = stream.count(b"\r\n\r\n\r\n")
    assert strays, "this build (no TEST_FRAMEWORK) sends none"
    assert all(m.event or m.response for m in messages)
    named_lines = stream.count(b"\nEvent: ") + stream.count(b"\nResponse: ")
    inner = sum(name in ("Event", "Response") for m in messages for name, _ in m.items()[1:])
    assert len(messages) == named_lines - inner


def test_a_user_event_comes_as_it_was_sent(messages: list[Message]) -> None:
    (event,) = named(messages, "UserEvent")
    assert event.get("Text") == "Zoë 😀 <b>"
    assert event.get("Pair") == "a: b: c "
    assert event.all("Same") == ["one", "two"]
    assert event.get("Same") == "one"
    assert event.items()[-1] == ("Last", "")
    sent = USER_EVENT.split(b"\r\n")[3:-2]
    assert event.raw.split(b"\r\n")[-len(sent) :] == sent


def test_bytes_that_are_no_utf8(messages: list[Message]) -> None:
    (event,) = named(messages, "UserEvent")
    assert event.get("Raw") == LATIN.decode("utf-8", "replace") == "Zo� ��"
    (joined,) = [m for m in named(messages, "CoreShowChannel") if m.get("Uniqueid") == "trap-202"]
    assert joined.get("CallerIDName") == "Zo� ��"
    assert joined.get("ConnectedLineName") == "Zo� ��"


def test_every_name_is_read_as_it_was_given(messages: list[Message]) -> None:
    """Escaped by Asterisk or not, in whatever event or list."""
    names = [
        (m.event, key, m.text(key))
        for m in messages
        for key, value in m.items()
        if key.endswith(("CallerIDName", "ConnectedLineName")) and "Zo\\" not in value and value.startswith("Zoë")
    ]
    assert {event for event, _, _ in names} >= {
        "NewCallerid",
        "OriginateResponse",
        "QueueCallerJoin",
        "ConfbridgeJoin",
        "DialBegin",
        "CoreShowChannel",
        "Status",
        "QueueEntry",
        "ConfbridgeList",
        "ParkedCall",
    }
    assert [one for one in names if one[2] != NAME] == []


def test_channel_variables_are_all_there(messages: list[Message]) -> None:
    wanted = ["TRAP_ONE=a: b", "TRAP_TWO=c"]
    assert wanted in [m.all("ChanVariable") for m in named(messages, "ConfbridgeJoin")]
    assert wanted in [m.all("ChanVariable") for m in named(messages, "Status")]
    (parked, _) = [m for m in named(messages, "ParkedCall") if m.get("Privilege")]
    assert parked.all("ParkeeChanVariable") == wanted
    (originated,) = [m for m in named(messages, "OriginateResponse") if m.get("Uniqueid") == "trap-201"]
    # Here the key has the channel's name in it, and a name may have a colon.
    assert originated.all(f"ChanVariable({originated.get('Channel')})") == wanted


def test_output_lines(messages: list[Message]) -> None:
    output = answer(messages, "trap-command").all("Output")
    assert output[0].startswith("[ Context 'from-internal'")
    assert "" in output
    assert any("WaitExten" in line and line.startswith("  ") for line in output)


def test_a_line_feed_within_a_value_ends_nothing(messages: list[Message]) -> None:
    for action in ("trap-park-201", "trap-park-205"):
        assert answer(messages, action).get("Message") == "Park successful\n"


def test_an_empty_list_is_an_error(messages: list[Message]) -> None:
    refusal = answer(messages, "trap-rooms")
    assert (refusal.response, refusal.get("Message")) == ("Error", "No active conferences.")


def test_errors_without_an_action_id(messages: list[Message]) -> None:
    errors = [m.get("Message") for m in messages if m.response == "Error" and not m.action_id]
    assert errors == ["Too many lines in message or allocation failure", "Missing action in request"]
    assert answer(messages, "trap-long").get("Message") == "Failed to parse message: line too long"


def test_an_originates_failure_is_an_event(messages: list[Message]) -> None:
    for event in named(messages, "OriginateResponse"):
        assert (event.response, event.get("Response")) == ("", "Success")


def test_a_slow_readers_session_ends_within_a_message(streams: tuple[bytes, bytes]) -> None:
    protocol = Protocol()
    got = list(protocol.feed(streams[1]))
    assert {m.event for m in got[-5:]} == {"UserEvent"}
    with pytest.raises(IncompleteMessage):
        protocol.eof()
