"""Devices of the imitation and the hints of its dialplan: what was said of them last, and how it is said."""

from __future__ import annotations

from typing import Final

from demo.events import Emit, Header

INTERNAL: Final = "from-internal"

HINTS: Final = {
    "NOT_INUSE": ("0", "Idle"),
    "INUSE": ("1", "InUse"),
    "BUSY": ("2", "Busy"),
    "UNAVAILABLE": ("4", "Unavailable"),
    "RINGING": ("8", "Ringing"),
    "RINGINUSE": ("9", "InUse&Ringing"),
    "ONHOLD": ("16", "Hold"),
}
"""A device's state as the hint of its extension says it."""


class Devices:
    """Every device of which something is known; ``told`` is what Asterisk's cache of device states holds."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.told: dict[str, str] = {}
        self._hints: dict[tuple[str, str], str] = {}

    def know(self, device: str, state: str) -> None:
        """What it was before anybody listened."""
        self.told[device] = state

    def hint(self, exten: str, device: str, context: str = INTERNAL) -> None:
        """The dialplan has a hint: an extension whose state is this device's."""
        self._hints[exten, context] = device

    def tell(self, device: str, state: str, *, cached: bool = True) -> None:
        """It is in this state now. Silent if that was said last; what is not ``cached`` no list shows."""
        if self.told.get(device) == state:
            return
        if cached:
            self.told[device] = state
        self._emit("DeviceStateChange", *_device(device, state))
        for (exten, context), hinted in self._hints.items():
            if hinted == device:
                self._emit("ExtensionStatus", *self._extension(exten, context))

    def states(self) -> list[tuple[Header, ...]]:
        """The headers of each DeviceStateChange of the list."""
        return [_device(device, state) for device, state in self.told.items()]

    def extensions(self) -> list[tuple[Header, ...]]:
        """The headers of each ExtensionStatus of the list."""
        return [self._extension(exten, context) for exten, context in self._hints]

    def _extension(self, exten: str, context: str) -> tuple[Header, ...]:
        device = self._hints[exten, context]
        # Of what was never told Asterisk asks whoever provides it: parking says that nobody is there, queues and
        # conferences know of no such device before the first caller has come (seen on 22).
        never = "NOT_INUSE" if device.startswith("park:") else "UNAVAILABLE"
        status, text = HINTS[self.told.get(device, never)]
        return (("Exten", exten), ("Context", context), ("Hint", device), ("Status", status), ("StatusText", text))


def _device(device: str, state: str) -> tuple[Header, ...]:
    return (("Device", device), ("State", state))
