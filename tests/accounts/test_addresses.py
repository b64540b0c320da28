"""The browser's address: what our proxies say, and never what a browser says itself."""

import pytest

from accounts.addresses import client_address

PEER = "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, [], PEER),
        (0, ["203.0.113.9"], PEER),
        (1, ["203.0.113.9"], "203.0.113.9"),
        (1, ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (1, ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        (2, ["1.1.1.1, 203.0.113.9, 198.51.100.1"], "203.0.113.9"),
        (2, ["203.0.113.9"], PEER),  # past one of our proxies, or fewer than the settings say
        (1, [], PEER),
        (1, [" , ,"], PEER),
        (1, ["unknown"], PEER),
        (1, ["203.0.113.9, <script>"], PEER),
        (1, ["203.0.113.9:51234"], "203.0.113.9"),
        (1, ["[2001:db8::1]:443"], "2001:db8::1"),
        (1, ["2001:DB8:0::1"], "2001:db8::1"),
        (1, ["::ffff:203.0.113.9"], "203.0.113.9"),
        (1, ["\xff"], PEER),
    ],
)
def test_from_the_right(proxies: int, forwarded: list[str], address: str) -> None:
    headers = [(b"host", b"panel"), *((b"X-Forwarded-For", line.encode("latin-1")) for line in forwarded)]
    assert client_address(headers, PEER, proxies) == address


@pytest.mark.parametrize(
    ("peer", "address"), [("::ffff:192.0.2.1", "192.0.2.1"), ("", ""), ("testclient", "testclient"), ("::1", "::1")]
)
def test_the_peer_itself(peer: str, address: str) -> None:
    assert client_address([], peer, 0) == address
