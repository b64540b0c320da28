"""Lines that lead outside: whether they are there, registered, and how many calls they carry.

What a trunk is, the PBX's ``trunks`` pattern says. Asterisk tells of one in three places: its device state, which is
also whether it is there; its registration with the provider; and the channels on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ami.protocol import Message
from live.changes import Changes, Fields, Published

if TYPE_CHECKING:
    from live.pbx import Pbx

_UNTOLD: Final = frozenset({"", "UNKNOWN"})
_AWAY: Final = frozenset({"UNAVAILABLE", "INVALID"})
"""A peer or endpoint that is not registered with us, or that does not answer [chan_pjsip, chan_sip, chan_iax2]."""


@dataclass(slots=True)
class Trunk:
    name: str
    """Its device: ``PJSIP/trunk``."""
    registration: str = ""
    channels: set[str] = field(default_factory=set)
    """Uniqueids."""


class Trunks:
    """All trunks of one PBX, by device. One of which nothing is told any more, and that has no channel, is
    forgotten."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.trunks: dict[str, Trunk] = {}
        self._registrations: dict[tuple[str, str, str], str] = {}
        """Technology, user and server of a registration → the trunk's device."""
        self._touched: set[str] = set()

    # --- told by others of the model

    def touch(self, device: str) -> None:
        """Its device state is another, if it is a trunk's."""
        if self.pbx.trunks.search(device):
            self._touched.add(device)

    def carries(self, uniqueid: str, device: str, old: str) -> None:
        """This leg is on this device, and ("") on none any more."""
        if old in self.trunks:
            self.trunks[old].channels.discard(uniqueid)
            self._touched.add(old)
        if device and self.pbx.trunks.search(device):
            self._trunk(device).channels.add(uniqueid)

    # --- told by events and lists

    def register(self, technology: str, user: str, server: str, status: str) -> None:
        """A registration with a provider, that a list has told of, is in this state."""
        device = self._registrations.get((technology, user, server))
        if device is not None:
            self._trunk(device).registration = status

    def replace_registrations(self, technology: str, items: Iterable[Message]) -> None:
        """Take a whole list of registrations with providers. Each technology has its own words for them."""
        listed = set()
        for item in items:
            if item.event == "AuthDetail":  # beside each of PJSIP's, its password in it: nobody's business here
                continue
            user, server, device, status = _registration(technology, item)
            self._registrations[technology, user, server] = device
            self._trunk(device).registration = status
            listed.add((technology, user, server))
        for key in [key for key in self._registrations if key[0] == technology and key not in listed]:
            device = self._registrations.pop(key)
            self._trunk(device).registration = ""

    # --- saying

    def retell(self) -> None:
        """Say all again, as if nothing had been said."""
        self._touched.update(self.trunks)

    def fold(self, published: Published, changes: Changes) -> None:
        """Say what is different."""
        touched, self._touched = self._touched, set()
        for name in touched:
            trunk, key, state = self.trunks.get(name), self.pbx.key(name), self.pbx.devices.states.get(name, "")
            if trunk is None and state:
                trunk = self.trunks[name] = Trunk(name)
            if trunk is not None and not (state or trunk.registration or trunk.channels):
                del self.trunks[name]
                trunk = None
            if trunk is None:
                published.drop(changes, "trunk", key)
            else:
                published.put(changes, "trunk", key, _fields(trunk, state))

    def _trunk(self, device: str) -> Trunk:
        self._touched.add(device)
        return self.trunks.setdefault(device, Trunk(device))


def _fields(trunk: Trunk, state: str) -> Fields:
    return {
        "name": trunk.name,
        "state": state,
        "reachable": "" if state in _UNTOLD else "no" if state in _AWAY else "yes",
        "registration": trunk.registration,
        "channels": len(trunk.channels),
    }


def _registration(technology: str, item: Message) -> tuple[str, str, str, str]:
    """User, server, device and state in one item of a list of registrations."""
    if technology == "PJSIP":
        name = item.get("Endpoint") or item.get("ObjectName")
        return item.get("ClientUri"), item.get("ServerUri"), f"PJSIP/{name}", item.get("Status")
    user, server = item.get("Username"), item.get("Host")
    return user, server, f"{technology}/{user}@{server}", item.get("State")


# --- the events


def _registry(pbx: Pbx, message: Message, now: float) -> None:
    user, server = message.get("Username"), message.get("Domain")
    pbx.lines.register(message.get("ChannelType"), user, server, message.get("Status"))


HANDLERS: Final[dict[str, Callable[[Pbx, Message, float], None]]] = {
    "Registry": _registry,
}
