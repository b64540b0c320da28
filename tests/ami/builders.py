"""Every builder, every text that it takes, and what a hostile user would write there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ami import Action
from ami.actions import BUILDERS

# By the name of the parameter: a value that passes. None of them names anything that the lab has.
SAFE: dict[str, Any] = {
    "user": "nobody",
    "key": "0123abcd",
    "events": "off",
    "uniqueid": "1.1",
    "extra_uniqueid": "1.2",
    "cause": 16,
    "conference": "801",
    "channel": "PJSIP/101-0000008c",
    "phone": "PJSIP/nobody",
    "application": "ChanSpy",
    "data": "1.3,quES",
    "ringing": "PJSIP/102-000000a4",
    "channel_id": "phx-listen-1",
    "caller_name": "Phoenix-Spy",
    "caller_number": "4711",
    "ring_ms": 15_000,
    "switchable": True,
    "host": "192.0.2.1",
    "port": 40_000,
    "seconds": 5,
    "context": "from-internal",
    "exten": "502",
    "extra_context": "from-trunk",
    "extra_exten": "503",
    "back_to": "PJSIP/103-0000000b",
    "timeout_ms": 30_000,
    "lot": "default",
    "file": "call-1.wav",
    "mix_monitor_id": "0x7f00",
    "muted": True,
    "direction": "in",
    "state": "on",
    "digit": "5",
    "receive": True,
    "mode": "whisper",
    "queue": "vip",
    "interface": "PJSIP/nobody",
    "member_name": "Nobody",
    "penalty": 3,
    "paused": True,
    "state_interface": "Custom:nobody",
    "reason": "lunch",
    "ring": True,
    "caller": "PJSIP/201-0000000c",
    "priority": 7,
}

# By the name of the parameter: AMI's header that a refusal must name, one of these.
HEADERS: dict[str, set[str]] = {
    "user": {"Username"},
    "key": {"Key"},
    "events": {"Events"},
    "uniqueid": {"Channel", "Data"},
    "extra_uniqueid": {"ExtraChannel"},
    "conference": {"Conference", "Data"},
    "channel": {"Channel"},
    "phone": {"Channel"},
    "application": {"Application"},
    "data": {"Data"},
    "ringing": {"Data"},
    "host": {"Channel"},
    "channel_id": {"ChannelId"},
    "caller_name": {"CallerID"},
    "caller_number": {"CallerID"},
    "context": {"Context"},
    "exten": {"Exten"},
    "extra_context": {"ExtraContext"},
    "extra_exten": {"ExtraExten"},
    "back_to": {"TimeoutChannel"},
    "lot": {"Parkinglot"},
    "file": {"File"},
    "mix_monitor_id": {"MixMonitorID"},
    "direction": {"Direction"},
    "state": {"State"},
    "digit": {"Digit"},
    "mode": {"Digit"},
    "queue": {"Queue"},
    "interface": {"Interface"},
    "member_name": {"MemberName"},
    "state_interface": {"StateInterface"},
    "reason": {"Reason"},
    "caller": {"Caller"},
}

# What Asterisk takes for the end of a line, a value, an argument, a list, a name, a field; for a pattern, a prefix,
# a variable, a program, everybody, or too much.
PAYLOADS = (
    *("\r\n", "\n", "\r", "\0", "\x1b", "\x7f", "\ud800"),
    *("\r\n\r\nAction: Hangup\r\nChannel: /.*/", "\n\nAction: Logoff", "\nChannel: /.*/"),
    *("", " ", "/", "/.*/", " /.*/", "/^Local/", "PJSIP/", "Local/", "Local/506@from-internal", "PJSIP/101&PJSIP/102"),
    *("all", "participants", "&", ",", "|", ";", ":", "=", "a,b", "1,quES", "x,b,touch /tmp/x"),
    *("../../etc/passwd", "/etc/passwd", "${SHELL(id)}", "${EXTEN}", "$[1+1]", "`id`", "$(id)", "%0d%0a", "\\r\\n"),
    *('"', '"x" <y>', "<>", "'", "!", "(", "*", "ActionID: 1", "Action: Command"),
    *("é", "Zoë 😀", "\u2028", "\x85", "\u202e", "\ufeff", "x" * 900, "x" * 1000, "é" * 499),
)


def build(builder: Callable[..., Action], **changed: Any) -> Action:
    """The action with ``SAFE`` values but for ``changed``."""
    return builder(**{name: SAFE[name] for name in inspect.signature(builder).parameters} | changed)


TEXTS = [
    (builder, name)
    for builder in BUILDERS
    for name, parameter in inspect.signature(builder).parameters.items()
    if parameter.annotation not in ("int", "bool")
]
"""Every builder with each of its parameters that is a text, or one of a few words."""
