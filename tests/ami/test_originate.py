"""What rings a phone: whatever is given, the bytes are one Originate of the closed kind, or there are none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import models
from ami import Action, EncodingRefused, actions

UNIQUEID, NAME = "phx22-1795412884.225", "PJSIP/102-000000a4"
IDS: dict[str, Any] = {"channel_id": "phx-listen-0a", "caller_name": "Phoenix-Spy"}


def test_listen() -> None:
    action = actions.listen("PJSIP/900", UNIQUEID, **IDS, caller_number="101", ring_ms=12_000)
    assert action.mutating
    assert action.encode("7") == (
        b"Action: Originate\r\nActionID: 7\r\nChannel: PJSIP/900\r\nApplication: ChanSpy\r\n"
        b'Data: phx22-1795412884.225,quES\r\nCallerID: "Phoenix-Spy" <101>\r\nTimeout: 12000\r\n'
        b"ChannelId: phx-listen-0a\r\nAsync: true\r\n\r\n"
    )


def test_pickup() -> None:
    pickup = dict(actions.pickup("PJSIP/900", NAME, **IDS).headers)
    assert (pickup["Application"], pickup["Data"]) == ("PickupChan", NAME)
    assert pickup["Timeout"] == "15000"


@pytest.mark.parametrize(
    ("build", "plain", "switchable"),
    [(actions.listen, "quES", "qudES"), (actions.whisper, "quwES", "qudwES"), (actions.barge, "quBES", "qudBES")],
)
def test_what_a_spy_may_switch_to(build: Callable[..., Action], plain: str, switchable: str) -> None:
    assert dict(build("SIP/302", UNIQUEID, **IDS).headers)["Data"] == f"{UNIQUEID},{plain}"
    assert dict(build("SIP/302", UNIQUEID, **IDS, switchable=True).headers)["Data"] == f"{UNIQUEID},{switchable}"


def test_into_a_room_to_a_number_and_kept_waiting() -> None:
    room = dict(actions.invite("PJSIP/900", "801", **IDS).headers)
    assert (room["Application"], room["Data"]) == ("ConfBridge", "801")
    kept = dict(actions.hold_line("PJSIP/900", 60, **IDS).headers)
    assert (kept["Application"], kept["Data"]) == ("Wait", "60")
    assert actions.originate_extension("PJSIP/900", "from-internal", "*72+4930", **IDS).encode("7") == (
        b"Action: Originate\r\nActionID: 7\r\nChannel: PJSIP/900\r\nContext: from-internal\r\nExten: *72+4930\r\n"
        b'Priority: 1\r\nCallerID: "Phoenix-Spy" <>\r\nTimeout: 15000\r\nChannelId: phx-listen-0a\r\n'
        b"Async: true\r\n\r\n"
    )


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "PJSIP",
        "PJSIP/",
        "PJSIP/900&PJSIP/901",
        "PJSIP/900,30",
        "PJSIP/900/n",
        "PJSIP/900@trunk",
        "PJSIP/900/sip:x@evil",
        "Local/900@from-internal",
        "Local/900@from-internal/n",
        "PJSIP/9(00)",
        "PJSIP/900\n",
        " PJSIP/900",
        "PJSIP/${EXTEN}",
        "AudioSocket/host:1/x",
        "PJSIP/" + "9" * 65,
    ],
)
def test_what_is_no_phone(phone: str) -> None:
    with pytest.raises(EncodingRefused, match=r"^Channel: "):
        actions.listen(phone, UNIQUEID, **IDS)
    assert not models.DIAL_STRING.match(phone), "nor can it be saved"


@pytest.mark.parametrize("phone", ["PJSIP/900", "SIP/302", "PJSIP/maria.weber-2", "IAX2/office", "SCCP/7_1"])
def test_what_is_a_phone(phone: str) -> None:
    assert models.DIAL_STRING.match(phone)
    assert actions.listen(phone, UNIQUEID, **IDS).headers[0] == ("Channel", phone)


@pytest.mark.parametrize("application", ["System", "chanspy", "AGI", "Dial", "MixMonitor", "Exec", "", "ChanSpy\r\n"])
def test_the_applications_are_closed(application: Any) -> None:
    with pytest.raises(EncodingRefused, match=r"^Application: "):
        actions.originate_application("PJSIP/900", application, f"{UNIQUEID},quES", **IDS)


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("ChanSpy", "PJSIP/101,q"),  # a prefix
        ("ChanSpy", f"{UNIQUEID},qES"),
        ("ChanSpy", f"{UNIQUEID},quES,x"),
        ("ChanSpy", f"{UNIQUEID},qduES"),
        ("ChanSpy", f"{UNIQUEID},quwBES"),
        ("ConfBridge", "801,default_bridge"),
        ("ConfBridge", ""),
        ("Wait", "1 s"),
        ("Wait", "10000"),
        ("ChanSpy", ",quES"),
        ("ChanSpy", NAME),
        ("PickupChan", "PJSIP/102-,p"),
        ("PickupChan", "PJSIP/102"),
        ("PickupChan", f"{NAME}&{NAME}"),
        ("PickupChan", f"{UNIQUEID},quES"),
    ],
)
def test_data_is_of_our_own_make_only(application: Any, data: str) -> None:
    with pytest.raises(EncodingRefused, match=r"^Data: "):
        actions.originate_application("PJSIP/900", application, data, **IDS)


@pytest.mark.parametrize("ms", [0, -1, 999, 120_001])
def test_how_long_it_rings(ms: int) -> None:
    with pytest.raises(EncodingRefused, match=r"^Timeout: "):
        actions.pickup("PJSIP/900", NAME, **IDS, ring_ms=ms)


TEXTS = st.text(max_size=60) | st.sampled_from([UNIQUEID, NAME, "PJSIP/900", "101", "phx-listen-1", ",quES", "&", "/"])
DATA = re.compile(r"[A-Za-z0-9_.:-]+,quw?ES|[A-Za-z0-9]+/[A-Za-z0-9_.+@/-]+-[0-9a-f]{1,8}")


@given(
    st.sampled_from([actions.listen, actions.whisper, actions.pickup]),
    TEXTS | st.just("PJSIP/900"),
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS,
)
def test_one_originate_of_the_closed_kind_or_nothing(
    build: Callable[..., Action], phone: str, target: str, channel_id: str, caller_name: str, caller_number: str
) -> None:
    refused = ""
    try:
        action = build(phone, target, channel_id=channel_id, caller_name=caller_name, caller_number=caller_number)
        data = action.encode("id")
    except EncodingRefused as error:
        refused = error.field
    if refused:
        assert refused in {"Channel", "Data", "ChannelId", "CallerID"}
        return
    lines = data.decode().split("\r\n")
    assert lines[:2] == ["Action: Originate", "ActionID: id"]
    assert [line.partition(":")[0] for line in lines[2:-2]] == [
        "Channel",
        "Application",
        "Data",
        "CallerID",
        "Timeout",
        "ChannelId",
        "Async",
    ]
    headers = dict(action.headers)
    assert re.fullmatch(r"(PJSIP|SIP|IAX2|DAHDI|SCCP)/[A-Za-z0-9_.+-]{1,64}", headers["Channel"])
    assert headers["Application"] == ("PickupChan" if build is actions.pickup else "ChanSpy")
    assert DATA.fullmatch(headers["Data"])
    assert headers["Async"] == "true"
