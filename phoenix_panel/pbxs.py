"""Which PBXs this panel is for: the `PHOENIX_PBX…` variables, read into {name: URL}.

`PHOENIX_PBX` is the PBX `pbx`; `PHOENIX_PBX_<NAME>` is the PBX `<name>`. Names ending in `_REC` are kept for a second
account of the same PBX (recording), and are no PBX of their own.
"""

import re

from django.core.exceptions import ImproperlyConfigured

from phoenix_panel.environment import Environment

PREFIX = "PHOENIX_PBX"
DEMO = "demo"
NAME = re.compile(r"[a-z0-9_-]{1,32}")


def read(environment: Environment) -> dict[str, str]:
    """{name: URL} in the order of the names; ImproperlyConfigured names the variable at fault, never its value."""
    from ami.address import Address  # here, so that commands that talk to no PBX load no sockets and no TLS

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
        try:
            Address.parse(url).tls_context()  # its cafile is read now: a wrong one is told at the start
        except ValueError as error:
            raise ImproperlyConfigured(f"{variable}: {error}") from None
        pbxs[name] = url
    return pbxs


def demo(environment: Environment, pbxs: dict[str, str]) -> bool:
    """Whether the demo PBX runs: by PHOENIX_DEMO, and without it, when there is no other PBX to show. It lives in the
    process that runs all; where there are several (PHOENIX_REDIS), in none."""
    if environment.text("PHOENIX_REDIS"):
        return False
    wanted = environment.flag("PHOENIX_DEMO", default=not pbxs)
    if wanted and DEMO in pbxs:
        raise ImproperlyConfigured(f"PHOENIX_DEMO: there is a PBX named {DEMO} already, {PREFIX}_{DEMO.upper()}.")
    return wanted
