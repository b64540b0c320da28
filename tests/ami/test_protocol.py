from __future__ import annotations

import gzip
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ami import IncompleteMessage, Message, Protocol, ProtocolError, unescape
from ami import protocol as wire
from tests.ami.cutting import GREETING, SMALL_CAPS, outcome

RECORDING = Path(__file__).parent.parent / "recordings" / "ast22-small.ami.gz"


@pytest.fixture(scope="module")
def recording() -> bytes:
    """A minute of a real Asterisk 22, every feature touched: from the greeting to the Goodbye."""
    return gzip.decompress(RECORDING.read_bytes())


@pytest.fixture(scope="module")
def whole(recording: bytes) -> list[bytes]:
    return [message.raw for message in Protocol().feed(recording)]


def feed(data: bytes) -> list[Message]:
    """The messages of a stream that is fed whole, byte by byte, and with more coming after: always the same."""
    messages = list(Protocol().feed(GREETING + data))
    slowly = Protocol()
    dribbled = [m for i in range(len(GREETING + data)) for m in slowly.feed((GREETING + data)[i : i + 1])]
    slowly.eof()
    followed = list(Protocol().feed(GREETING + data + b"Event: Next\r\nA: b\r\n\r\n"))
    assert [m.raw for m in dribbled] == [m.raw for m in messages] == [m.raw for m in followed[:-1]]
    assert followed[-1].event == "Next"
    return messages


def one(data: bytes) -> Message:
    (message,) = feed(data)
    return message


# The recording, cut in every way.


def test_recording_whole(recording: bytes, whole: list[bytes]) -> None:
    assert len(whole) == 2157
    assert all(raw.startswith((b"Event: ", b"Response: ")) for raw in whole)
    assert b"\r\n\r\n".join(whole).replace(b"\r\n", b"") in recording.replace(b"\r\n", b"")


def test_recording_byte_by_byte(recording: bytes, whole: list[bytes]) -> None:
    protocol = Protocol()
    got = [m.raw for i in range(len(recording)) for m in protocol.feed(recording[i : i + 1])]
    protocol.eof()
    assert got == whole
    assert protocol.banner == "Asterisk Call Manager/11.0.0"


@pytest.mark.parametrize("shift", [-3, -2, -1, 0, 1, 2, 3])
def test_recording_cut_around_every_message_boundary(recording: bytes, whole: list[bytes], shift: int) -> None:
    protocol, got, start = Protocol(), list[Message](), 0
    end = recording.find(b"\r\n\r\n")
    while end >= 0:
        cut = end + 4 + shift
        got += protocol.feed(recording[start:cut])
        start, end = cut, recording.find(b"\r\n\r\n", end + 4)
    got += protocol.feed(recording[start:])
    protocol.eof()
    assert [m.raw for m in got] == whole


def test_recording_in_random_chunks(recording: bytes, whole: list[bytes]) -> None:
    rng = random.Random(22)
    protocol, got, start = Protocol(), list[Message](), 0
    while start < len(recording):
        size = rng.choice((1, 2, 3, 7, 100, 1460, 65536))
        got += protocol.feed(recording[start : start + size])
        start += size
    assert [m.raw for m in got] == whole


def test_recording_after_the_login_only_real_names(whole: list[bytes]) -> None:
    events = {Message(raw).event for raw in whole} - {""}
    assert len(events) == 87
    assert {"Newchannel", "BridgeEnter", "QueueCallerJoin", "ConfbridgeJoin", "ChanSpyStart"} <= events
    assert all(name.isalnum() for name in events)


# Traps of the framing.


def test_the_greeting_is_no_message() -> None:
    half = Protocol()
    assert list(half.feed(b"Asterisk Call ")) == []
    assert half.banner is None
    protocol = Protocol()
    pieces = (b"Asterisk Call ", b"Manager/5.0.4\r\nResponse: Success\r\n\r\n")
    messages = [message for piece in pieces for message in protocol.feed(piece)]
    assert protocol.banner == "Asterisk Call Manager/5.0.4"
    assert [message.response for message in messages] == ["Success"]


def test_stray_blank_lines_before_a_message() -> None:
    messages = feed(b"Event: TestEvent\r\nA: 1\r\n\r\n\r\nResponse: Success\r\n\r\n\r\n\r\n\r\nEvent: X\r\n\r\n\r\n")
    assert [(m.event, m.response) for m in messages] == [("TestEvent", ""), ("", "Success"), ("X", "")]


def test_inner_line_feed_splits_nothing() -> None:
    message = one(b"Response: Success\r\nMessage: Park successful\n\r\nActionID: 7\r\n\r\n")
    assert message.get("Message") == "Park successful\n"
    assert message.action_id == "7"


def test_empty_last_header() -> None:
    message = one(b"Event: ChallengeSent\r\nSessionID: 1\r\nChallenge: \r\n\r\n")
    assert message.items()[-1] == ("Challenge", "")
    assert message.get("Challenge", "none") == ""
    assert message.get("Other", "none") == "none"


def test_repeated_headers() -> None:
    message = one(
        b"Event: X\r\nChanVariable(IAX2/10.0.0.1:4569-7): a=b\r\nChanVariable: one\r\nChanVariable: two\r\n\r\n"
    )
    assert message.get("ChanVariable") == "one"
    assert message.all("ChanVariable") == ["one", "two"]
    assert message.all("ChanVariable(IAX2/10.0.0.1:4569-7)") == ["a=b"]
    assert message.all("None") == []


def test_output_lines() -> None:
    message = one(
        b"Response: Success\r\nMessage: Command output follows\r\nOutput: a: b\r\nOutput: \r\nOutput:  c\r\n\r\n"
    )
    assert message.all("Output") == ["a: b", "", " c"]


def test_values_are_kept_verbatim() -> None:
    message = one(b"Event: X\r\nAppData: PJSIP/101,,U(a: b): c  \r\nBare:value\r\nnocolon\r\n\r\n")
    assert message.items()[1:] == [("AppData", "PJSIP/101,,U(a: b): c  "), ("Bare", "value"), ("nocolon", "")]


def test_utf8_that_is_split_between_two_chunks() -> None:
    data = GREETING + "Event: X\r\nCallerIDName: Zoë 😀\r\n\r\n".encode()
    for cut in range(len(data)):
        protocol = Protocol()
        (message,) = [*protocol.feed(data[:cut]), *protocol.feed(data[cut:])]
        assert message.get("CallerIDName") == "Zoë 😀"


@pytest.mark.parametrize("raw", [b"Zo\xe9", b"\xff\xfe\xc3(", b"\xed\xa0\x80", b"cut \xc3"])
def test_bytes_that_are_no_utf8(raw: bytes) -> None:
    message = one(b"Event: X\r\nCallerIDName: " + raw + b"\r\nNext: ok\r\n\r\n")
    name = message.get("CallerIDName")
    assert "�" in name
    assert name.encode()  # no surrogates: it can go anywhere
    assert message.get("Next") == "ok"


def test_only_the_first_header_names_the_message() -> None:
    message = one(b"Event: OriginateResponse\r\nResponse: Failure\r\nEvent: Hangup\r\n\r\n")
    assert (message.event, message.response) == ("OriginateResponse", "")
    assert message.get("Response") == "Failure"
    assert one(b"Privilege: x\r\nEvent: Hangup\r\n\r\n").event == ""
    assert one(b"event: Hangup\r\n\r\n").event == ""


def test_a_message_of_one_line() -> None:
    assert one(b"Event: Lonely\r\n\r\n").event == "Lonely"


def test_end_inside_a_message() -> None:
    protocol = Protocol()
    assert [m.event for m in protocol.feed(GREETING + b"Event: A\r\n\r\nEvent: Newch")] == ["A"]
    with pytest.raises(IncompleteMessage, match="inside a message, after 12 bytes"):
        protocol.eof()


def test_end_between_messages_even_after_a_stray_line() -> None:
    protocol = Protocol()
    protocol.feed(GREETING + b"Event: A\r\n\r\n\r\n")
    protocol.eof()


# Escapes.


def test_names_are_unescaped_numbers_are_not() -> None:
    # As a real Asterisk 22 wrote them for a caller Zoë "Z" O'Brien with the number 7"8\\9.
    name, number = r"Zoë \"Z\" O\'Brien", r'7"8\\9'
    message = one(f"Event: X\r\nDestCallerIDName: {name}\r\nCallerIDNum: {number}\r\nData: a\\n\r\n\r\n".encode())
    assert message.text("DestCallerIDName") == 'Zoë "Z" O\'Brien'
    assert message.text("CallerIDNum") == '7"8\\\\9'
    assert message.text("Data") == "a\\n"
    assert message.text("Missing") == ""


def test_unescape() -> None:
    assert unescape(r"\a\b\f\n\r\t\v\\\'\"\?") == "\a\b\f\n\r\t\v\\'\"?"
    assert unescape(r"\\n \x \ ") == r"\n \x \ "
    assert unescape("end\\") == "end\\"


# Caps.


@pytest.mark.parametrize("size", [1, 4096, 10_000_000])
@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"x" * wire.MAX_GREETING, "greeting"),
        (GREETING + b"Event: X\r\nA: " + b"x" * wire.MAX_LINE, "line"),
        (GREETING + b"Event: X\r\nA: " + b"x" * wire.MAX_LINE + b"\r\n\r\n", "line"),
        (GREETING + b"Event: X\r\n" + b"A: b\r\n" * wire.MAX_HEADERS + b"\r\n", "headers"),
        (GREETING + (b"A: " + b"x" * 4000 + b"\r\n") * (wire.MAX_MESSAGE // 4000), "message"),
        (GREETING + (b"A: " + b"x" * 4000 + b"\r\n") * (wire.MAX_MESSAGE // 4000) + b"\r\n", "message"),
    ],
)
def test_caps(stream: bytes, says: str, size: int) -> None:
    protocol = Protocol()
    size = max(size, len(stream) // 20_000)  # a megabyte byte by byte would take seconds, and show nothing more

    def feed_all() -> None:
        for start in range(0, len(stream), size):
            assert list(protocol.feed(stream[start : start + size])) == []

    with pytest.raises(ProtocolError, match=says):
        feed_all()
    with pytest.raises(ProtocolError, match=says):
        protocol.feed(b"Event: X\r\n\r\n")
    assert len(protocol._buffer) == 0
    protocol.eof()  # its fault is told already


def test_just_under_the_caps() -> None:
    line = b"A: " + b"x" * (wire.MAX_LINE - 3)
    assert len(one(b"Event: X\r\n" + line + b"\r\n\r\n").get("A")) == wire.MAX_LINE - 3
    assert len(one(b"Event: X\r\n" + b"A: b\r\n" * (wire.MAX_HEADERS - 1) + b"\r\n").items()) == wire.MAX_HEADERS


def test_many_messages_at_once_are_no_long_one() -> None:
    data = GREETING + b"Event: X\r\nA: b\r\n\r\n" * 100_000
    assert len(data) > wire.MAX_MESSAGE
    assert sum(1 for _ in Protocol().feed(data)) == 100_000


def test_the_lines_that_are_known_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_known", {})
    for number in range(wire._MOST_KNOWN * 2 + 10):
        line = b"Uniqueid: %d" % number
        assert Message(line).get("Uniqueid") == str(number)
        assert len(wire._known) <= wire._MOST_KNOWN
    before = len(wire._known)
    assert Message(b"A: " + b"x" * 300).get("A") == "x" * 300
    assert len(wire._known) == before


def test_what_came_before_the_fault_comes_first() -> None:
    fault = b"A: " + b"x" * wire.MAX_LINE + b"\r\n\r\n"
    messages = Protocol().feed(GREETING + b"Event: A\r\n\r\n\r\nEvent: B\r\n\r\n" + fault + b"Event: C\r\n\r\n")
    assert [next(messages).event, next(messages).event] == ["A", "B"]
    with pytest.raises(ProtocolError, match="line"):
        next(messages)


def test_one_byte_fragments_cost_no_more_for_a_long_message() -> None:
    def cost(lines: int) -> float:
        data = GREETING + b"A: 34567890\r\n" * lines
        best = 9.0
        for _ in range(3):
            protocol, start = Protocol(), time.process_time()
            for i in range(len(data)):
                protocol.feed(data[i : i + 1])
            best = min(best, time.process_time() - start)
        return best / len(data)

    # Quadratic work would make a byte of the longer one 100 times as dear.
    assert cost(20_000) < 10 * cost(200)


# Any bytes, cut anywhere.

# What a message is made of, what its caps are made of, and anything.
PIECES = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b": ",
        b"Event: X",
        b"Response: Error",
        "ActionID: Zoë".encode(),
        b"x" * 90,
        b"A: b\r\n" * 5,
    ]
) | st.binary(max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the caps are the same for every example
@given(st.lists(PIECES, max_size=60).map(b"".join), st.lists(st.integers(0, 2000), max_size=8))
@example(b"\n" * 500 + b"Event: X\r\n\r\n", [*range(500)])
@example(b"A" * 400 + b"\r\n\r\n", [*range(500)])
@example(b"Event: A\r\n\r\n" + b"A: b\r\n" * 20 + b"\r\n", [])
@example(b"A: " + b"x" * 100 + b"\r\nA: b\r\n", [])
def test_any_bytes_cut_anywhere(small_caps: None, data: bytes, cuts: list[int]) -> None:
    """The same messages and the same end, however it is cut; and nothing but the protocol's own errors."""
    stream = GREETING + data
    whole = outcome(stream)
    assert outcome(stream, cuts) == whole
    assert outcome(stream, range(len(stream))) == whole


@given(st.binary(max_size=1500), st.lists(st.integers(0, 1500), max_size=8))
def test_a_greeting_of_any_bytes(stream: bytes, cuts: list[int]) -> None:
    assert outcome(stream, cuts) == outcome(stream)


@pytest.fixture
def small_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL_CAPS.items():
        monkeypatch.setattr(wire, name, value)
