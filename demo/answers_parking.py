"""How the imitation answers about its parking lot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.parking import FIRST, LAST, LOT, TIMEOUT_S
from demo.replies import Action, Request, error, listing, success

if TYPE_CHECKING:
    from demo.pbx import Pbx


def _parked(pbx: Pbx, request: Request) -> bytes:
    if request.get("parkinglot", LOT) != LOT:
        return error(request, "Requested parking lot could not be found.")
    items = [("ParkedCall", headers) for headers in pbx.parking.calls()]
    total = ("Total", str(len(items)))
    return listing(request, "Parked calls will follow", items, "ParkedCallsComplete", total, last=True)


def _lots(pbx: Pbx, request: Request) -> bytes:
    lot = (("Name", LOT), ("StartSpace", str(FIRST)), ("StopSpace", str(LAST)), ("Timeout", str(TIMEOUT_S)))
    return listing(request, "Parking lots will follow", [("Parkinglot", lot)], "ParkinglotsComplete")


def _park(pbx: Pbx, request: Request) -> bytes:
    name, timeout = request.get("channel", ""), request.get("timeout", "")
    if not name:
        return error(request, "Channel not specified")
    if timeout and not timeout.isdecimal():
        return error(request, "Invalid Timeout value.")
    channel = pbx.find(name)
    if channel is None:
        return error(request, f"Channel does not exist: {name}")
    back = pbx.find(request.get("timeoutchannel", ""))
    by = (back or channel).device
    seconds = int(timeout) / 1000 if timeout else TIMEOUT_S
    if request.get("parkinglot", LOT) != LOT or not pbx.parking.park(channel, by, seconds, told=back):
        return _with_line_end(error(request, "Park action failed"))
    pbx.settle()
    return _with_line_end(success(request, "Park successful"))


def _with_line_end(answer: bytes) -> bytes:
    """Asterisk's own words end with a line end, before that of the header (seen on 16 and 22)."""
    return answer.removesuffix(b"\r\n\r\n") + b"\n\r\n\r\n"


PARKING: Final[dict[str, Action]] = {
    "Park": ("Park a channel.  (Priv: call,all)", _park),
    "ParkedCalls": ("List parked calls.  (Priv: call,all)", _parked),
    "Parkinglots": ("Get a list of parking lots  (Priv: call,all)", _lots),
}
