"""Where a request came from, also behind proxies."""

import ipaddress
from collections.abc import Iterable


def client_address(headers: Iterable[tuple[bytes, bytes]], peer: str, proxies: int) -> str:
    """The browser's address. `headers` as in an ASGI scope, `peer` who is connected, `proxies` how many are ours.

    Each proxy adds to the end of X-Forwarded-For whom it was called by. So the last ones, as many as there are proxies
    of ours, are true, and of these the first is the browser; all before it is what the browser itself has written.
    With fewer entries than proxies, or one that is no address, nobody is believed: it is the peer.
    """
    if proxies > 0:
        # Several such headers are one list, in their order.
        line = b",".join(value for name, value in headers if name.lower() == b"x-forwarded-for").decode("latin-1")
        entries = [entry.strip() for entry in line.split(",") if entry.strip()]
        if len(entries) >= proxies:
            found = _address(entries[-proxies])
            if found:
                return found
    return _address(peer) or peer


def _address(text: str) -> str:
    """The address alone, in its one spelling, or "". Some proxies write the port too: `192.0.2.1:5123`, `[::1]:80`."""
    host = text
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return ""
    # On a socket for both kinds an IPv4 browser is `::ffff:192.0.2.1`; as IPv6 all of them would be one network.
    mapped = getattr(ip, "ipv4_mapped", None)
    return str(mapped or ip)
