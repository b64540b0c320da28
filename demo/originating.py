"""What an Originate brings about in the imitation: a leg, an answer, and what the leg then does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.channels import NO_ANSWER, RINGING, Channel, Originate
from demo.events import UNKNOWN, Header

if TYPE_CHECKING:
    from demo.pbx import Pbx

PLAYBACK_S: Final = 3.0
"""How long a prompt lasts."""

PRESENTATION: Final = ("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")

ANSWERED: Final = "4"
TIMED_OUT: Final = "3"
FAILED: Final = "0"
"""Reasons of an OriginateResponse."""


class Originating:
    """Legs that an action dials."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx

    def start(self, want: Originate, timeout: float) -> None:
        """Dial it. ``timeout`` in seconds. What cannot be dialled is answered by an OriginateResponse of failure."""
        pbx = self._pbx
        phone = pbx.lines.phones.get(want.wanted.removeprefix("PJSIP/")) if want.wanted.startswith("PJSIP/") else None
        if phone is None or not phone.registered or want.channel_id in pbx.channels:
            self._response(want, None, FAILED)
            return
        leg = pbx.new_channel(phone.device, phone.exten, phone.name, "s", uniqueid=want.channel_id)
        leg.application, leg.data = "AppDial2", "(Outgoing Line)"
        leg.originate, leg.originated = want, True
        pbx.processed += 1
        pbx.emit("Newchannel", *leg.snapshot())
        if want.caller is not None:
            # The caller id that an Originate brings becomes the leg's own, and its connected line (seen on 22).
            leg.number, leg.caller_name = want.caller
            pbx.emit("NewCallerid", *leg.snapshot(), PRESENTATION)
            leg.connected_number, leg.connected_name = want.caller
            pbx.emit("NewConnectedLine", *leg.snapshot())
        pbx.emit("DialBegin", *leg.snapshot("Dest"), ("DialString", phone.exten))
        pbx.ring(leg)
        pbx.settle()
        pbx.later(timeout, lambda: self._timed_out(leg))

    def answered(self, leg: Channel) -> None:
        """The leg is up: say so, and run what it was dialled for."""
        want, leg.originate = leg.originate, None
        if want is None:
            return
        self._response(want, leg, ANSWERED)
        self._pbx.settle()
        if want.exten:
            leg.exten, leg.context, leg.originated = want.exten, want.context, False
            self._pbx.enter(leg, want.exten)
            return
        leg.application, leg.data = want.application, want.data
        match want.application:
            case "ChanSpy":
                self._spy(leg, want.data)
            case "PickupChan":
                self._pick_up(leg, want.data)
            case "ConfBridge":
                self._pbx.seats.join(leg, want.data.partition(",")[0])
            case "Wait":
                self._for(leg, _seconds(want.data))
            case "Playback":
                self._for(leg, PLAYBACK_S)
            case _:
                self._pbx.end(leg, 0)

    def failed(self, leg: Channel, reason: str) -> None:
        """The leg rang in vain."""
        want, leg.originate = leg.originate, None
        if want is not None:
            self._response(want, None, reason)

    def _timed_out(self, leg: Channel) -> None:
        if leg.alive and leg.state == RINGING and leg.originate is not None:
            self.failed(leg, TIMED_OUT)
            leg.tech_cause = "480"
            self._pbx.end(leg, NO_ANSWER)
            self._pbx.settle()

    def _response(self, want: Originate, leg: Channel | None, reason: str) -> None:
        if want.exten:
            what: tuple[Header, ...] = (("Context", want.context), ("Exten", want.exten))
        else:
            what = (("Application", want.application), ("Data", want.data))
        number, name = want.caller or ("", "")
        self._pbx.emit(
            "OriginateResponse",
            *((("ActionID", want.action_id),) if want.action_id else ()),
            ("Response", "Success" if reason == ANSWERED else "Failure"),
            ("Channel", leg.name if leg is not None else want.wanted),
            *what,
            ("Reason", reason),
            ("Uniqueid", leg.uniqueid if leg is not None else want.channel_id or UNKNOWN),
            ("CallerIDNum", number or UNKNOWN),
            ("CallerIDName", name or UNKNOWN),
        )

    def _for(self, leg: Channel, seconds: float) -> None:
        def over() -> None:
            if leg.alive:
                self._pbx.end(leg, 0)
                self._pbx.settle()

        self._pbx.later(seconds, over)

    # --- ChanSpy

    def _spy(self, leg: Channel, data: str) -> None:
        name, _, options = data.partition(",")
        leg.spy_options = options
        if "u" in options:
            target = self._pbx.find(name)
        else:
            found = (one for one in self._pbx.channels.values() if one is not leg and one.name.startswith(name))
            target = next(found, None)
        if target is not None:
            leg.spies_on = target
            self._pbx.emit("ChanSpyStart", *self._both(leg, target))
        elif "S" in options:
            self._pbx.end(leg, 0)

    def spy_stops(self, spy: Channel) -> None:
        """The listener has hung up."""
        target, spy.spies_on = spy.spies_on, None
        if target is not None:
            self._pbx.emit("ChanSpyStop", *self._both(spy, target))

    def target_gone(self, spy: Channel) -> None:
        """Whom he listens to has hung up; without the option E his leg stays, in silence."""
        self.spy_stops(spy)
        if "E" in spy.spy_options:
            self._pbx.end(spy, 0)

    @staticmethod
    def _both(spy: Channel, target: Channel) -> tuple[Header, ...]:
        return (*spy.snapshot("Spyer"), *target.snapshot("Spyee"))

    # --- PickupChan

    def _pick_up(self, leg: Channel, data: str) -> None:
        name, _, options = data.partition(",")
        rung = [one for one in self._pbx.channels.values() if one.state == RINGING and one.caller is not None]
        fits = (one for one in rung if (one.name.startswith(name) if "p" in options else one.name == name))
        target = next(fits, None)
        if target is None:
            self._pbx.end(leg, 0)
        else:
            self._pbx.picked_up(leg, target)


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
