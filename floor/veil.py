"""Who is outside, for those who may not see numbers in full: the last digits of them stay, and all else is as it is.

Veiled on the server, by the sort of leg that a number stands at: what a page is not to show it is not sent.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

from django.utils.crypto import salted_hmac

from live import channels, sides
from live.changes import Entities, Fields, Value

MASK: Final = "•••"

KEPT: Final = ((10, 4), (8, 3), (6, 2))
"""(digits from which on, so many last ones stay): six at least are always hidden of a whole number; of one with less
than six digits nothing stays."""

LONG: Final = 7
"""Digits of a number that is taken for one from outside. An extension that has as many is known by its device."""

_LONG: Final = re.compile(rf"\+?\d{{{LONG},}}")

_DIGIT: Final = re.compile(r"\d")

_LEGS: Final = frozenset({"party", "participant", "waiting", "parked", "spy"})
_WORDS: Final = ("channel", "by", "device", "interface", "state_interface", "hint")
"""Fields with a device or a channel's name in them."""


def number(text: str) -> str:
    """`+7 916 123-45-67` → `•••4567`. What has no digits is a name of a kind: nothing of it stays."""
    digits = _digits(text)
    kept = next((last for least, last in KEPT if len(digits) >= least), 0)
    return (MASK + digits[-kept:] if kept else MASK) if text else ""


def name(text: str, number: str) -> str:
    """As it is, unless it is a number, or tells some of this one's digits."""
    digits = _digits(text)
    return MASK if len(digits) > 4 or (len(digits) > 2 and digits in _digits(number)) else text


def scrub(text: str) -> str:
    """Each long number in a text, such as a channel's name, veiled."""
    return _LONG.sub(lambda found: number(found[0]), text)


@functools.lru_cache(maxsize=10_000)
def key(kind: str, text: str) -> str:
    """The key that stands for an entity's own, where that has a long number in it: an agent who is reached at a mobile
    is `lab/sales/Local/•••4567@out/n~3f…`. In each process and at any time the same, and the number is not to be
    guessed from it."""
    if kind != "member" or _LONG.search(text) is None:
        return text
    return f"{scrub(text)}~{salted_hmac('floor.veil', text).hexdigest()[:16]}"


def fields(kind: str, key_: str, entities: Entities) -> Fields:
    """All fields of an entity, veiled."""
    plain = entities[kind][key_]
    veiled: Fields = {**plain}
    for word in _WORDS:
        if word in plain:
            veiled[word] = _channel(str(plain[word])) if word == "channel" else scrub(str(plain[word]))
    if kind in _LEGS:
        # Who waits or is parked is a party under the same key, which tells its side.
        leg = plain if "side" in plain else entities.get("party", {}).get(key_, {})
        side = "internal" if kind == "spy" else str(leg.get("side", ""))
        device = str(plain.get("device", "")) or channels.device(str(leg.get("channel", "")))
        said, called = str(plain.get("number", "")), str(plain.get("name", ""))
        veiled |= _leg(said, called, side, device)
    if kind == "member":
        veiled["name"] = _own_name(str(plain.get("name", "")))
    if kind == "queue":
        members: Value = plain.get("members", [])
        veiled["members"] = [key("member", one) for one in members] if isinstance(members, list) else members
    return {field: veiled[field] for field in plain}


def _leg(said: str, called: str, side: str, device: str) -> Fields:
    """Number and name of who sits at a leg."""
    phone = side == "internal" and not device.startswith("Local/") and said == sides.number(device)
    if phone or (side in ("internal", "app") and len(_digits(said)) < LONG):
        return {"number": said, "name": _own_name(called)}
    # Also who counts as one of ours, and is not his device: it may be a line that nobody declared a trunk. And where
    # a Local leads to may be outside.
    return {"number": number(said), "name": name(called, said)}


def _own_name(text: str) -> str:
    return MASK if len(_digits(text)) >= LONG else text


def result(message: dict[str, Any]) -> dict[str, Any]:
    """What became of a command, as its frame tells."""
    target = message["target"]
    return {
        **message,
        "target": {**target, "key": key(target["kind"], target["key"])},
        "detail": scrub(message["detail"]),
    }


def _channel(text: str) -> str:
    """What Asterisk puts behind a channel's device is no number, though it may look like one."""
    device = channels.device(text)
    return scrub(device) + text.removeprefix(device)


def _digits(text: str) -> str:
    return "".join(_DIGIT.findall(text))
