"""Who listens to whom: the legs that run ChanSpy, ours and those of desk phones.

A leg that listens is no call and no party: it is folded away, and told as an entity of its own, ``spy``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from live import channels
from live.changes import Changes, Fields, Published
from live.channels import Channel

if TYPE_CHECKING:
    from live.pbx import Pbx

Mode = Literal["listen", "whisper", "barge"]

Ending: TypeAlias = Literal["", "scope_lost", "protected", "no_right"]
"""Why the panel ends a listening by itself: somebody is heard whom its owner may not listen to, or nobody may; or she
may no longer listen."""

APPLICATIONS: Final = ("ChanSpy", "ExtenSpy")


@dataclass(slots=True)
class Spy:
    """One leg that hears another. ``since``: seconds of UTC."""

    spyer: str
    spyee: str
    mode: Mode
    """As it was made, or as the panel turned it last: whether a leg obeyed, or was turned by its own phone's keys,
    nothing tells."""
    since: float
    rev: int = 1
    """Rises when the leg goes on to another one."""
    ending: Ending = ""

    @property
    def ours(self) -> bool:
        """The panel had Asterisk make it; after a restart of the panel too."""
        return _own_mode(self.spyer) != ""

    @property
    def switchable(self) -> bool:
        """It was made by us so that it can be turned to another mode."""
        return _made(self.spyer).removeprefix(channels.TONED).startswith(channels.SWITCHABLE)

    @property
    def toned(self) -> bool:
        """It was made by us to be told by a tone."""
        return _made(self.spyer).startswith(channels.TONED)


class Spies:
    """All that listen on one PBX, by the Uniqueid of the leg that listens."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.spies: dict[str, Spy] = {}
        self.judge: Callable[[Spy], Ending] = lambda spy: ""
        """Asked of each listening of ours when all else has been looked at: why it must end."""

    def get(self, uniqueid: str) -> Spy | None:
        return self.spies.get(uniqueid)

    # --- told by the model

    def start(self, spyer: Channel, spyee: str, now: float) -> None:
        """ChanSpyStart. It does not tell the mode: of our own legs the id does, of others the next list."""
        self.pbx.fold_away(spyer)
        self.pbx.own.done(spyer.uniqueid)
        if spyer.uniqueid.startswith(channels.TONE):
            return
        if spyee in self.pbx.channels:  # else it hung up before we were told that it was listened to
            self._set(spyer.uniqueid, spyee, _own_mode(spyer.uniqueid) or "listen", now)

    def stop(self, spyer: str, spyee: str) -> None:
        """ChanSpyStop. Without the option ``E`` the leg stays, and looks for another one: it is a leg that listens
        still, to nobody."""
        spy = self.spies.get(spyer)
        if spy is not None and spyee in ("", spy.spyee):
            del self.spies[spyer]

    def gone(self, uniqueid: str) -> None:
        """A channel hung up, or turned to something else."""
        self.spies.pop(uniqueid, None)
        for spyer in [spy.spyer for spy in self.spies.values() if spy.spyee == uniqueid]:
            del self.spies[spyer]

    def listed(self, channel: Channel) -> None:
        """A whole list is taken, and this is how it shows the channel."""
        if channel.application not in APPLICATIONS:
            if channel.spying:
                channel.spying = False
                self.spies.pop(channel.uniqueid, None)
                self.pbx.calls.touch(channel)
            return
        self.pbx.fold_away(channel)
        self.pbx.own.done(channel.uniqueid)
        if channel.uniqueid.startswith(channels.TONE):
            return
        target, _, options = channel.application_data.partition(",")
        options = options.partition(",")[0]
        exact = "u" in options and channel.application == "ChanSpy"
        spyee = self._target(channel, target, exact=exact)
        mode: Mode = "whisper" if "w" in options else "barge" if "B" in options else "listen"
        if spyee:
            # Since when, the list does not say: not before the leg was there.
            self._set(channel.uniqueid, spyee, mode, channel.created)
        else:
            self.spies.pop(channel.uniqueid, None)

    def _target(self, spyer: Channel, target: str, *, exact: bool) -> str:
        """Uniqueid of whom ChanSpy was told to hear: a Uniqueid, a channel's name, or how the name begins; "" if that
        is nobody, or one of several (then only events tell which)."""
        if target in self.pbx.channels:
            return target
        named = [other.uniqueid for other in self.pbx.channels.values() if target and other.name == target]
        if exact or named:
            return named[0] if named else ""
        known = self.spies.get(spyer.uniqueid)
        if spyer.application == "ExtenSpy":  # told an extension: which of its channels, only events tell
            return known.spyee if known is not None else ""
        begin = [
            other.uniqueid
            for other in self.pbx.channels.values()
            if target and other.name.startswith(target) and other is not spyer and not other.hidden
        ]
        if known is not None and known.spyee in begin:
            return known.spyee
        return begin[0] if len(begin) == 1 else ""

    def _set(self, spyer: str, spyee: str, mode: Mode, since: float) -> None:
        spy = self.spies.get(spyer)
        if spy is None:
            self.spies[spyer] = Spy(spyer, spyee, mode, since)
        elif spy.spyee != spyee:
            self.spies[spyer] = Spy(spyer, spyee, mode, since, spy.rev + 1)
        elif not spy.switchable:  # how it was begun is all that a list says
            spy.mode = mode

    def turned(self, spyer: str, mode: Mode) -> None:
        """The panel has turned a leg that can be: Asterisk took it."""
        if (spy := self.spies.get(spyer)) is not None:
            spy.mode = mode

    # --- saying

    def fold(self, published: Published, changes: Changes) -> None:
        """Say who listens now, after the calls were said: a listened call may have gone up in another."""
        said = published.entities.get("spy", {})
        if not (self.spies or said):
            return
        for spy in self.spies.values():
            if spy.ours and not spy.ending:
                spy.ending = self.judge(spy)
        keys = {self.pbx.calls.key(uniqueid): spy for uniqueid, spy in self.spies.items()}
        for key in [key for key in said if key not in keys]:
            published.drop(changes, "spy", key)
        for key, spy in keys.items():
            published.put(changes, "spy", key, self._fields(spy))

    def _fields(self, spy: Spy) -> Fields:
        spyer, spyee = self.pbx.channels[spy.spyer], self.pbx.channels[spy.spyee]
        number, name = self.pbx.calls.identity(spyer)
        own = self.pbx.own.get(spy.spyer)
        return {
            "rev": spy.rev,
            "call": self.pbx.calls.key_of(spyee),
            "party": self.pbx.calls.key(spy.spyee),
            "mode": spy.mode,
            "switchable": spy.switchable,
            "number": number,
            "name": name,
            "device": spyer.device,
            "user": own.user if own is not None else "",
            "user_id": own.user_id if own is not None else 0,
            "role": own.role if own is not None else "",
            "since": round(spy.since * 1000),
            "ending": spy.ending,
        }


def _made(uniqueid: str) -> str:
    """What the id of a leg of ours that listens says beside its mode."""
    return next((uniqueid.removeprefix(prefix) for prefix in _MODES if uniqueid.startswith(prefix)), "")


def _own_mode(uniqueid: str) -> Mode | Literal[""]:
    """The id of a leg of ours says what it was made for: after a restart of the panel too."""
    return next((mode for prefix, mode in _MODES.items() if uniqueid.startswith(prefix)), "")


_MODES: Final[dict[str, Mode]] = {
    channels.LISTEN: "listen",
    channels.WHISPER: "whisper",
    channels.BARGE: "barge",
}
