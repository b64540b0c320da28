"""Legs that the panel itself had Asterisk make: who asked for each, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GRACE_S: Final = 0.3
"""Asterisk tells a refusal (OriginateResponse) and an end (Hangup) in either order, milliseconds apart [measured on 16
and 22]; the cause comes with the latter. So long the other one is waited for."""

KEPT_S: Final = 60.0
"""How long what became of a leg is remembered after its end."""

LOST_S: Final = 300.0
"""A leg of which nothing was ever heard (the link broke) is forgotten after so long: no phone rings for so long."""

NO_ANSWER: Final = 3
"""OriginateResponse's Reason when the phone rang for the whole time; every other refusal says 0, and its cause must be
taken from the Hangup [measured on 16 and 22]."""


@dataclass(slots=True)
class OwnLeg:
    """One leg under an id of ours. Times are seconds of UTC; 0 is not yet."""

    user_id: int
    user: str
    asked: float
    role: str = ""
    """What the user is, for who is told that somebody listens and not who."""
    born: bool = False
    """A channel came to be: of a phone that is not registered there is none."""
    answered: bool = False
    refused: float = 0.0
    reason: int = 0
    ended: float = 0.0
    cause: int = 0
    text: str = ""
    done: bool = False
    """What it was made for has begun: the listening, the pickup."""
    failed: bool = False
    """It has not begun, and no news about it can come any more."""


class OwnLegs:
    """By ChannelId, which is the leg's Uniqueid."""

    def __init__(self) -> None:
        self._legs: dict[str, OwnLeg] = {}

    def expect(self, channel_id: str, user_id: int, user: str, now: float, role: str = "") -> None:
        """It is asked for now, by this user."""
        self._legs[channel_id] = OwnLeg(user_id, user, now, role=role)

    def get(self, channel_id: str) -> OwnLeg | None:
        return self._legs.get(channel_id)

    @property
    def pending(self) -> bool:
        """True while a later look, without any event, may say more."""
        return any((leg.refused or leg.ended) and not (leg.done or leg.failed) for leg in self._legs.values())

    def born(self, uniqueid: str) -> None:
        if leg := self._legs.get(uniqueid):
            leg.born = True

    def responded(self, uniqueid: str, success: bool, reason: int, now: float) -> None:
        """Asterisk tells how the ringing ended. It names the id even when no channel came to be."""
        if leg := self._legs.get(uniqueid):
            leg.answered, leg.reason = success, reason
            leg.refused = 0.0 if success else now

    def done(self, uniqueid: str) -> None:
        if leg := self._legs.get(uniqueid):
            leg.born = leg.answered = leg.done = True

    def ended(self, uniqueid: str, cause: int, text: str, now: float) -> None:
        if leg := self._legs.get(uniqueid):
            leg.born, leg.ended, leg.cause, leg.text = True, now, cause, text

    def look(self, now: float) -> None:
        """Let time do its part: what is waited for no longer, what is forgotten."""
        for channel_id, leg in [*self._legs.items()]:
            over = leg.ended or leg.refused
            if over and not leg.done:
                leg.failed = bool(leg.ended and leg.refused) or now - over >= GRACE_S
            gone = leg.ended or (0.0 if leg.born else leg.refused)
            lost = not leg.born and not over and now - leg.asked > LOST_S
            if lost or (gone and now - gone > KEPT_S):
                del self._legs[channel_id]
