"""Devices and hints: what Asterisk itself says of each phone, queue, slot and room, in its own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ami.protocol import Message
from live.changes import Changes, Fields, Published
from live.numbers import number

if TYPE_CHECKING:
    from live.pbx import Pbx


_FLEETING: Final = re.compile(r"(Local|CBAnn|Announcer|Recorder)/|DAHDI/i\d+/")
"""Devices that are no more than a channel: events tell of them, the list never does, and their last state is told of
them for ever [Local and CBAnn measured on 16 and 22; the others are made without a cached state too]. A room's
recorder, CBRec, is listed."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One extension that a phone may watch, and what it is told."""

    exten: str
    context: str
    hint: str
    """What it stands for: ``PJSIP/101,CustomPresence:101``."""
    status: int
    """Asterisk's extension state: bits 1 in use, 2 busy, 4 unavailable, 8 ringing, 16 on hold; -1 deactivated."""
    text: str


class Devices:
    """All device and extension states of one PBX."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.states: dict[str, str] = {}
        """Device (``PJSIP/101``, ``Queue:sales_avail``) → state (``NOT_INUSE``)."""
        self.hints: dict[str, Hint] = {}
        """By ``exten@context``."""
        self._devices: set[str] = set()
        self._hints: set[str] = set()

    # --- told by events and lists

    def state(self, device: str, state: str) -> bool:
        """A device is in this state. True if that is news."""
        if self.states.get(device) == state or _FLEETING.match(device):
            return False
        self.states[device] = state
        self._devices.add(device)
        self.pbx.lines.touch(device)
        return True

    def hint(self, message: Message) -> bool:
        """A hint is in the state that the event or list item tells. True if that is news."""
        exten, context, told = message.get("Exten"), message.get("Context"), message.get("Status")
        status = DEACTIVATED if told == str(DEACTIVATED) else number(told, REMOVED)
        name = f"{exten}@{context}"
        if status == REMOVED:
            return self._forget(name)
        hint = Hint(exten, context, message.get("Hint"), status, message.get("StatusText"))
        if self.hints.get(name) == hint:
            return False
        self.hints[name] = hint
        self._hints.add(name)
        return True

    def replace_states(self, items: Iterable[Message], now: float) -> int:
        """Take a whole DeviceStateList. Returns how much of what was held it corrected."""
        corrections, listed = 0, set()
        for item in items:
            device = item.get("Device")
            listed.add(device)
            corrections += self.state(device, item.get("State"))
        for device in [device for device in self.states if device not in listed]:
            corrections += 1
            del self.states[device]
            self._devices.add(device)
            self.pbx.lines.touch(device)
        return corrections

    def replace_hints(self, items: Iterable[Message], now: float) -> int:
        """Take a whole ExtensionStateList. Returns how much of what was held it corrected."""
        corrections, listed = 0, set()
        for item in items:
            listed.add(f"{item.get('Exten')}@{item.get('Context')}")
            corrections += self.hint(item)
        return corrections + sum(self._forget(name) for name in [*self.hints] if name not in listed)

    def _forget(self, name: str) -> bool:
        if self.hints.pop(name, None) is None:
            return False
        self._hints.add(name)
        return True

    # --- read by others

    def phone_of(self, exten: str) -> str:
        """The phone that rings for this extension, by its hint (``PJSIP/101``), or ""."""
        return next((phone for hint, phone in self._phones() if hint.exten == exten), "")

    def extension_of(self, phone: str) -> str:
        """The extension that this phone rings for, by its hint, or ""."""
        return next((hint.exten for hint, device in self._phones() if device == phone), "")

    def _phones(self) -> Iterator[tuple[Hint, str]]:
        for hint in self.hints.values():
            device = hint.hint.partition(",")[0].partition("&")[0]
            if device.partition("/")[0] in PHONES:
                yield hint, device

    # --- saying

    def retell(self) -> None:
        """Say all again, as if nothing had been said."""
        self._devices.update(self.states)
        self._hints.update(self.hints)

    def fold(self, published: Published, changes: Changes) -> None:
        """Say what is different."""
        devices, hints, self._devices, self._hints = self._devices, self._hints, set(), set()
        for device in devices:
            key = self.pbx.key(device)
            if device in self.states:
                published.put(changes, "device", key, {"state": self.states[device]})
            else:
                published.drop(changes, "device", key)
        for name in hints:
            hint, key = self.hints.get(name), self.pbx.key(name)
            if hint is None:
                published.drop(changes, "extension", key)
            else:
                published.put(changes, "extension", key, _hint_fields(hint))


PHONES: Final = frozenset({"PJSIP", "SIP", "IAX2", "DAHDI", "SCCP"})
"""Technologies of phones; a hint may also stand for a queue, a room or a state of the dialplan's own."""

DEACTIVATED: Final = -1
REMOVED: Final = -2
"""The extension state of a hint that is no more."""


def _hint_fields(hint: Hint) -> Fields:
    return {
        "exten": hint.exten,
        "context": hint.context,
        "hint": hint.hint,
        "status": hint.status,
        "text": hint.text,
    }


# --- the events


def _device(pbx: Pbx, message: Message, now: float) -> None:
    if device := message.get("Device"):
        pbx.devices.state(device, message.get("State"))


def _extension(pbx: Pbx, message: Message, now: float) -> None:
    if message.get("Exten"):
        pbx.devices.hint(message)


HANDLERS: Final[dict[str, Callable[[Pbx, Message, float], None]]] = {
    "DeviceStateChange": _device,
    "ExtensionStatus": _extension,
}
