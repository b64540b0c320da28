from __future__ import annotations

import pytest

from ami import Address


def test_the_whole_form() -> None:
    parsed = Address.parse("ami://panel:s3cr3t@pbx.example:5039")
    assert parsed == Address("pbx.example", 5039, "panel", "s3cr3t", tls=False)


def test_defaults_and_tls() -> None:
    assert Address.parse("ami://u:s@h").port == 5038
    assert Address.parse("amis://u:s@h/").tls


def test_ipv6_in_brackets() -> None:
    parsed = Address.parse("ami://u:s@[2001:db8::1]:5039")
    assert (parsed.host, parsed.port) == ("2001:db8::1", 5039)


def test_percent_decoding() -> None:
    parsed = Address.parse("ami://a%40b:%2F%3F%23%3A%20%C3%A9@h")
    assert (parsed.user, parsed.secret) == ("a@b", "/?#: é")


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
    assert "s3cr3t" not in repr(Address.parse("ami://u:s3cr3t@h"))
