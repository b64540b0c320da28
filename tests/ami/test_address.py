from __future__ import annotations

from pathlib import Path

import pytest

from ami import Address


def test_the_whole_form() -> None:
    parsed = Address.parse("amis://panel:s3cr3t@pbx.example:5040?cafile=/etc/my%20pbx/ca.pem")
    assert parsed == Address("pbx.example", 5040, "panel", "s3cr3t", tls=True, cafile="/etc/my pbx/ca.pem")


def test_default_ports() -> None:
    assert Address.parse("ami://u:s@127.0.0.1").port == 5038
    assert Address.parse("amis://u:s@h/").port == 5039


def test_ipv6_in_brackets() -> None:
    parsed = Address.parse("amis://u:s@[2001:db8::1]:5040")
    assert (parsed.host, parsed.port) == ("2001:db8::1", 5040)


def test_percent_decoding() -> None:
    parsed = Address.parse("amis://a%40b:%2F%3F%23%3A%20%C3%A9@h")
    assert (parsed.user, parsed.secret) == ("a@b", "/?#: é")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "[::1]"])
def test_plaintext_within_this_machine(host: str) -> None:
    parsed = Address.parse(f"ami://u:s@{host}:5038")
    assert not parsed.tls
    assert not parsed.plaintext
    assert parsed.tls_context() is None


REMOTE = [
    "pbx",
    "pbx.example",
    "192.0.2.7",
    "10.0.0.1",
    "0.0.0.0",
    "[2001:db8::1]",
    "localhost.example",
    "pbx.localhost",
    "127.0.0.1.example",
]


@pytest.mark.parametrize("host", REMOTE)
def test_plaintext_to_another_machine_only_when_told(host: str) -> None:
    with pytest.raises(ValueError, match=r"not encrypted: use amis:// \(TLS\), or add \?plaintext=yes"):
        Address.parse(f"ami://u:SECRET@{host}:5038")
    told = Address.parse(f"ami://u:SECRET@{host}:5038?plaintext=yes")
    assert told.plaintext
    assert not told.tls
    assert Address.parse(f"amis://u:SECRET@{host}").tls
    with pytest.raises(ValueError, match="not encrypted"):
        Address(told.host, told.port, told.user, told.secret)


def test_a_cafile_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cafile: /no/such/ca\.pem: No such file"):
        Address.parse("amis://u:SECRET@h?cafile=/no/such/ca.pem").tls_context()
    (tmp_path / "ca.pem").write_text("not a certificate\n")
    with pytest.raises(ValueError, match=r"ca\.pem holds no certificate in PEM"):
        Address.parse(f"amis://u:SECRET@h?cafile={tmp_path}/ca.pem").tls_context()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://u:SECRET@h", "begin with ami://"),
        ("u:SECRET@h", "begin with ami://"),
        ("ami://h:5038", "needs user and secret"),
        ("ami://:SECRET@h", "needs user and secret"),
        ("ami://u@h", "needs user and secret"),
        ("ami://u:SECRET@", "names no host"),
        ("ami://u:SECRET@:5038", "names no host"),
        ("ami://u:SECRET@h:0", "1 to 65535"),
        ("ami://u:SECRET@h:65536", "1 to 65535"),
        ("ami://u:SECRET@h:port", "1 to 65535"),
        ("ami://u:1/SECRET@h", "percent-encode"),
        ("ami://u:x/SECRET@h", "percent-encode"),
        ("ami://u:SECRET#x@h", "percent-encode"),
        ("ami://u:SECRET?x@h", "percent-encode"),
        ("ami://u:SECRET@h?plaintext=no", "may follow"),
        ("ami://u:SECRET@h?plaintext", "may follow"),
        ("ami://u:SECRET@h?plaintext=yes&cafile=x", "may follow"),
        ("ami://u:SECRET@h?cafile=/x", "may follow"),
        ("amis://u:SECRET@h?plaintext=yes", "may follow"),
        ("amis://u:SECRET@h?cafile=", "may follow"),
        ("ami://u:SECRET@h/path", "nothing may follow"),
        ("ami://u:SECRET@[::1", "not of the form"),
        ("ami://u:SECRET℀@h", "not of the form"),
        ("ami://u:SEC RET@h", "blank or a control"),
        ("ami://u:SECRET@h\n", "blank or a control"),
        ("ami://u%0d%0aAction:SECRET@h", "control character"),
        ("ami://u:SECRET%ff@h", "UTF-8"),
    ],
)
def test_wrong_ones_say_why_in_a_line_without_the_secret(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Address.parse(url)
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_repr_hides_the_secret() -> None:
    assert "s3cr3t" not in repr(Address.parse("amis://u:s3cr3t@h"))
