"""Queues: members, by the interface that the queue dials for them, and callers. Members need write class ``agent``."""

from __future__ import annotations

import re
from typing import Final

from ami.actions.base import Action, change, named, number, whole_name
from ami.errors import EncodingRefused

# A queue dials it. Local channels are how FreePBX and others ring an agent: an extension of the PBX's own.
_INTERFACE: Final = re.compile(
    r"(PJSIP|SIP|IAX2|DAHDI|SCCP|Agent)/[A-Za-z0-9_.+-]{1,64}"
    r"|Local/[A-Za-z0-9*#+_.-]{1,64}@[A-Za-z0-9_.-]{1,79}(/n)?"
)
# A device or a hint whose state is the member's: `PJSIP/101`, `hint:101@ext-local`, `Custom:DND101`.
_STATE_INTERFACE: Final = re.compile(r"[A-Za-z0-9]+[/:][A-Za-z0-9_.+*#@/-]{1,120}")
# Asterisk keeps members in its database between `;` and `|`, and writes the queue log between `|` (app_queue.c).
_SEPARATOR: Final = re.compile(r"[;|]")
_MOST_TEXT: Final = 79  # bytes: what Asterisk keeps of a member's name and of a pause's reason (app_queue.c)


def queue_add(
    queue: str,
    interface: str,
    *,
    member_name: str = "",
    penalty: int = 0,
    paused: bool = False,
    state_interface: str = "",
) -> Action:
    """Make ``interface`` a member of the queue until it is removed (or until a restart, by the queue's settings).

    Without ``state_interface`` the state of ``interface`` is the member's: of a Local channel that tells nothing.
    """
    if not _INTERFACE.fullmatch(interface):
        raise EncodingRefused("Interface", "is nothing that a queue should dial")
    headers = [
        named("Queue", queue),
        ("Interface", interface),
        number("Penalty", penalty, 0, 1000),
        ("Paused", _said(paused)),
    ]
    if member_name:
        headers.append(_text("MemberName", member_name))
    if state_interface:
        if not _STATE_INTERFACE.fullmatch(state_interface):
            raise EncodingRefused("StateInterface", "is no device and no hint")
        headers.append(("StateInterface", state_interface))
    return change("QueueAdd", *headers)


def queue_remove(queue: str, interface: str) -> Action:
    """A member no more. Those of queues.conf come back when it is read again."""
    return change("QueueRemove", named("Queue", queue), named("Interface", interface))


def queue_pause(queue: str, interface: str, paused: bool, reason: str = "") -> Action:
    """Pause a member in one queue, or end his pause there."""
    return change("QueuePause", named("Queue", queue), *_pause(interface, paused, reason))


def queue_pause_everywhere(interface: str, paused: bool, reason: str = "") -> Action:
    """Pause a member in all his queues, or end his pauses. One ``QueueMemberPause`` comes for each."""
    return change("QueuePause", *_pause(interface, paused, reason))


def queue_penalty(queue: str, interface: str, penalty: int) -> Action:
    """Members of a lower penalty are rung first."""
    return change(
        "QueuePenalty", named("Queue", queue), named("Interface", interface), number("Penalty", penalty, 0, 1000)
    )


def queue_member_ring_in_use(queue: str, interface: str, ring: bool) -> Action:
    """Whether the queue rings the member while he is on another call."""
    headers = (named("Queue", queue), named("Interface", interface), ("RingInUse", "yes" if ring else "no"))
    return change("QueueMemberRingInUse", *headers)


def queue_change_priority_caller(queue: str, caller: str, priority: int) -> Action:
    """Give a waiting caller, by his channel's *name*, another priority: higher ones are served first.

    22 moves him at once; 16 takes the header that asks for it and ignores it: who waits stays where he is
    [measured]. Allowed to every account.
    """
    return change(
        "QueueChangePriorityCaller",
        named("Queue", queue),
        whole_name(caller, "Caller"),
        number("Priority", priority, 0, 1_000_000),
        ("Immediate", "yes"),
    )


def queue_withdraw_caller(queue: str, caller: str) -> Action:
    """Take a waiting caller, by his channel's *name*, out of the queue: his call goes on in the dialplan.

    Allowed to every account.
    """
    return change("QueueWithdrawCaller", named("Queue", queue), whole_name(caller, "Caller"))


def _pause(interface: str, paused: bool, reason: str) -> tuple[tuple[str, str], ...]:
    headers = (named("Interface", interface), ("Paused", _said(paused)))
    return (*headers, _text("Reason", reason)) if reason else headers


def _text(field: str, text: str) -> tuple[str, str]:
    if _SEPARATOR.search(text):
        raise EncodingRefused(field, "has a ; or | in it, which Asterisk takes for the end of a field")
    if len(text.encode(errors="replace")) > _MOST_TEXT:
        raise EncodingRefused(field, f"is longer than {_MOST_TEXT} bytes")
    return named(field, text)


def _said(flag: bool) -> str:
    return "true" if flag else "false"
