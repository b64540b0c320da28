"""Which PBXs this panel is for: the `PHOENIX_PBX…` variables, read into {name: URL}.

`PHOENIX_PBX` is the PBX `pbx`; `PHOENIX_PBX_<NAME>` is the PBX `<name>`. Names ending in `_REC` are kept for a second
account of the same PBX (recording), and are no PBX of their own.
"""

import re
from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured

from accounts.rights import ROLES
from live.dialling import Policy
from live.manners import SEED, Manners
from phoenix_panel.environment import Environment

PREFIX = "PHOENIX_PBX"
DEMO = "demo"
NAME = re.compile(r"[a-z0-9_-]{1,32}")


def read(environment: Environment) -> dict[str, str]:
    """{name: URL} in the order of the names; ImproperlyConfigured names the variable at fault, never its value."""
    pbxs: dict[str, str] = {}
    for variable in environment.names(PREFIX):
        suffix = variable.removeprefix(PREFIX)
        if suffix.endswith("_REC") or (suffix and not suffix.startswith("_")):
            continue
        url = environment.text(variable)
        if not url:
            continue
        name = suffix[1:].lower() if suffix else "pbx"
        if not NAME.fullmatch(name):
            raise ImproperlyConfigured(
                f"{variable}: a PBX's name has 1 to 32 letters, digits, _ or -, as in {PREFIX}_OFFICE."
            )
        if name in pbxs:
            raise ImproperlyConfigured(f"{variable}: the PBX {name} is there already under another variable.")
        _check(variable, url)
        pbxs[name] = url
    return pbxs


def recorders(environment: Environment, pbxs: Iterable[str]) -> dict[str, str]:
    """{name: URL} of the second accounts, which record: `PHOENIX_PBX_REC`, `PHOENIX_PBX_<NAME>_REC`."""
    found: dict[str, str] = {}
    for name in pbxs:
        for variable in (f"{PREFIX}_{name.upper()}_REC", *((f"{PREFIX}_REC",) if name == "pbx" else ())):
            if url := environment.text(variable):
                _check(variable, url)
                found[name] = url
    return found


def _check(variable: str, url: str) -> None:
    from ami.address import Address  # here, so that commands that talk to no PBX load no sockets and no TLS

    try:
        Address.parse(url).tls_context()  # its cafile is read now: a wrong one is told at the start
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable}: {error}") from None


def demo(environment: Environment, pbxs: dict[str, str]) -> bool:
    """Whether the demo PBX runs: by PHOENIX_DEMO, and without it, when there is no other PBX to show. It lives in the
    process that runs all; where there are several (PHOENIX_REDIS), in none."""
    if environment.text("PHOENIX_REDIS"):
        return False
    wanted = environment.flag("PHOENIX_DEMO", default=not pbxs)
    if wanted and DEMO in pbxs:
        raise ImproperlyConfigured(f"PHOENIX_DEMO: there is a PBX named {DEMO} already, {PREFIX}_{DEMO.upper()}.")
    return wanted


_CONTEXT = ("to be the name of a dialplan context", r"[A-Za-z0-9_.-]{1,79}")
_SHOWN = ("to have 1 to 40 letters, digits, blanks or . _ + -", r"[A-Za-z0-9 ._+-]{1,40}")


def manners(environment: Environment, pbxs: Iterable[str]) -> dict[str, Manners]:
    """What a supervisor's phone shows when the panel rings it, and for how long it rings; what may be dialled: for all
    PBXs, and (by a variable that ends in the PBX's name) for one. Against toll fraud: extensions only, until an
    administrator says otherwise."""

    def read(suffix: str, default: Manners) -> Manners:
        def shown(what: str, default: str) -> str:
            return environment.matching(f"PHOENIX_CALLER_{what}{suffix}", default, *_SHOWN)

        return Manners(
            ring_s=environment.number(f"PHOENIX_RING_SECONDS{suffix}", default.ring_s, least=2, most=60),
            listen=shown("LISTEN", default.listen),
            whisper=shown("WHISPER", default.whisper),
            barge=shown("BARGE", default.barge),
            pickup=shown("PICKUP", default.pickup),
            call=shown("CALL", default.call),
            context=environment.matching(f"PHOENIX_CONTEXT{suffix}", default.context, *_CONTEXT),
            dial=policy(suffix, default.dial),
        )

    def policy(suffix: str, default: Policy) -> Policy:
        of_roles = {
            role: environment.pattern(variable, "")
            for role in ROLES
            if environment.text(variable := f"PHOENIX_DIAL_{role.upper().replace(' ', '_')}{suffix}")
        }

        def most(what: str, default: int) -> int:
            return environment.number(f"PHOENIX_DIAL_{what}{suffix}", default, least=1, most=10_000)

        return Policy(
            allowed=environment.pattern(f"PHOENIX_DIAL{suffix}", default.allowed.pattern),
            by_role={**default.by_role, **of_roles},
            denied=tuple(environment.words(f"PHOENIX_DIAL_DENY{suffix}", ",".join(default.denied))),
            longest=environment.number(f"PHOENIX_DIAL_LONGEST{suffix}", default.longest, least=2, most=40),
            per_minute=most("PER_MINUTE", default.per_minute),
            per_minute_all=most("PER_MINUTE_ALL", default.per_minute_all),
            at_once=most("AT_ONCE", default.at_once),
        )

    everywhere = read("", SEED)
    return {name: read(f"_{name.upper()}", everywhere) for name in pbxs}
