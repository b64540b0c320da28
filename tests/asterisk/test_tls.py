"""A real Asterisk's TLS: it is who its certificate says, by an authority that we trust, or there is no connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from ami import Address, NoGreeting, Session, Timing, Unreachable, actions
from tests.lab import certificates
from tests.lab.instance import HOST, Asterisk

pytestmark = pytest.mark.asterisk


async def test_right_name_and_authority(asterisk: Asterisk) -> None:
    heard: list[str] = []
    address = Address.parse(asterisk.amis_url())
    session = await Session.open(address, events="system,call", on_event=lambda message: heard.append(message.event))
    await session.fully_booted.wait()
    assert "FullyBooted" in heard
    assert len(await session.list(actions.extension_state_list())) >= 45
    assert await session.ping() > 0
    await session.close()


async def test_wrong_name(asterisk: Asterisk) -> None:
    with pytest.raises(Unreachable, match=r"IP address mismatch.*'127\.0\.0\.1'; use a name that is in it"):
        await Session.open(Address.parse(asterisk.amis_url(host=HOST)))


async def test_unknown_authority(asterisk: Asterisk, tmp_path: Path) -> None:
    certificates.write(tmp_path)  # the same names, other keys
    with pytest.raises(Unreachable, match=r"is not trusted: .*\?cafile="):
        await Session.open(Address.parse(asterisk.amis_url(cafile=tmp_path / certificates.AUTHORITY)))
    with pytest.raises(Unreachable, match=r"is not trusted: .*\?cafile="):
        await Session.open(Address.parse(asterisk.amis_url().partition("?")[0]))


async def test_the_two_ports_mistaken(asterisk: Asterisk) -> None:
    plain, encrypted = str(asterisk.ami_port), str(asterisk.ports.ami_tls)
    with pytest.raises(Unreachable, match="no TLS with localhost"):
        await Session.open(Address.parse(asterisk.amis_url().replace(encrypted, plain)))
    # It waits for our first word, as we do for its.
    with pytest.raises(NoGreeting, match="no greeting"):
        await Session.open(Address.parse(asterisk.ami_url().replace(plain, encrypted)), timing=Timing(greeting=0.5))
