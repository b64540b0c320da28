"""Render `conf/` for one instance: fill in its paths and ports, and write out the phones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.lab import audio, certificates
from tests.lab.install import Installed
from tests.lab.ports import Ports

TEMPLATES = Path(__file__).parent / "conf"

NAMINGS = ("plain", "freepbx")
"""How a PBX may be set up. `conf-<naming>/` holds what differs from `conf/`, whole files."""

AGENTS = tuple(str(extension) for extension in range(101, 111))
CUSTOMERS = tuple(str(extension) for extension in range(201, 207))
SUPERVISORS = tuple(str(extension) for extension in range(900, 904))
IAX_PHONES = ("401", "402")
CHAN_SIP_PEERS = tuple(str(extension) for extension in range(301, 305))
PHONES = AGENTS + CUSTOMERS + SUPERVISORS

MUSIC_HZ = 330

# Asterisk's defaults are right for these, and a file that is not there is an error in its log.
EMPTY = ("acl", "ccss", "cdr", "cel", "codecs", "dnsmgr", "pjproject", "sip_notify", "udptl")

FOLDERS = ("etc", "lib/keys", "lib/agi-bin", "run", "log", "cache", "moh", "spool/monitor", "spool/tmp")


def password(extension: str) -> str:
    """The SIP password of a phone."""
    return f"pw{extension}"


def ami_secret(user: str) -> str:
    """The AMI secret of a user of manager.conf."""
    return f"{user}-secret"


def write(
    installed: Installed, ports: Ports, run: Path, *, http: bool, naming: str = "plain", far: Ports | None = None
) -> Path:
    """Write everything an instance needs into the folder `run`; returns its asterisk.conf.

    `naming` is one of NAMINGS. `far` are the ports of the Asterisk at the far end of the IAX2 peers (itself, if None).
    """
    for name in FOLDERS:
        (run / name).mkdir(parents=True, exist_ok=True)
    values = _values(installed, ports, run) | _naming_values(naming, far or ports)
    for template in _templates(naming):
        text = re.sub(r"@([A-Z_]+)@", lambda match: values[match.group(1)], template.read_text())
        (run / "etc" / template.name).write_text(text)
    for name in EMPTY:
        (run / f"etc/{name}.conf").write_text("; the defaults\n")
    certificates.write(run / "lib/keys")
    if http:
        _switch_on(run / "etc/http.conf")
    # Long enough that no test hears it begin again; a whole number of periods all the same.
    audio.write_wav(run / "moh/tone.wav", audio.tone(MUSIC_HZ, seconds=30))
    return run / "etc/asterisk.conf"


def _templates(naming: str) -> Iterable[Path]:
    """The files of `conf/`, and in their place those that this naming has its own of."""
    folders = [TEMPLATES] if naming == "plain" else [TEMPLATES, TEMPLATES.with_name(f"conf-{naming}")]
    return {path.name: path for folder in folders for path in folder.glob("*.conf")}.values()


def _values(installed: Installed, ports: Ports, run: Path) -> dict[str, str]:
    first, last = ports.rtp
    return {
        "VERSION": installed.version,
        "RUN": str(run),
        "MODULES": str(installed.modules),
        "DATA": str(installed.data),
        "AMI": str(ports.ami),
        "AMI_TLS": str(ports.ami_tls),
        "HTTP": str(ports.http),
        "SIP": str(ports.sip),
        "CHAN_SIP": str(ports.chan_sip),
        "TRUNK": str(ports.trunk),
        "IAX": str(ports.iax),
        "RTP_FIRST": str(first),
        "RTP_LAST": str(last),
        "PHONES": "\n".join(_endpoint(extension) for extension in PHONES),
        "PEERS": "\n".join(_chan_sip_peer(extension) for extension in CHAN_SIP_PEERS),
    }


def _naming_values(naming: str, far: Ports) -> dict[str, str]:
    if naming == "plain":
        hints = [f"exten => {extension},hint,PJSIP/{extension}" for extension in PHONES]
    else:
        kinds = {"PJSIP": PHONES, "SIP": CHAN_SIP_PEERS, "IAX2": IAX_PHONES}
        hints = [
            f"exten => {extension},hint,{kind}/{extension}&Custom:DND{extension},CustomPresence:{extension}"
            for kind, extensions in kinds.items()
            for extension in extensions
        ]
    return {
        "HINTS": "\n".join(hints),
        "IAX_FAR": str(far.iax),
        "IAX_LOADED": "noload" if naming == "plain" else "load",
        # A recording must say when each event came to be; the panel's own tests need no such header.
        "TIMESTAMPS": "no" if naming == "plain" else "yes",
    }


def caller_name(extension: str) -> str | None:
    """The name that the PBX gives a phone's calls; customers have none, theirs is what their phone says."""
    if extension in AGENTS:
        return f"Agent {extension}"
    if extension in SUPERVISORS:
        return f"Supervisor {extension}"
    return None


def _endpoint(extension: str) -> str:
    name = caller_name(extension)
    fixed = f'callerid = "{name}" <{extension}>\n' if name else ""
    return (
        f"[{extension}](phone)\nauth = {extension}\naors = {extension}\n{fixed}"
        f"[{extension}](login)\nusername = {extension}\npassword = {password(extension)}\n"
        f"[{extension}](place)\n"
    )


def _chan_sip_peer(extension: str) -> str:
    return f'[{extension}](peer)\nsecret = {password(extension)}\ncallerid = "Peer {extension}" <{extension}>\n'


def _switch_on(http: Path) -> None:
    http.write_text(http.read_text().replace("enabled = no", "enabled = yes"))
