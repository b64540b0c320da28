"""One PBX in the hands of a script: what is true on it now, and every action of the panel's with its proof. No Django.

::

    async with switchboard.connect("ami://user:secret@127.0.0.1:5038", phone="PJSIP/900") as board:
        for call in board.all("call"):
            print(call["phase"], call["parties"])
        print(await board.do("calls.listen", "101"))

It is the panel's own worker, model and dispatch that run here, so an outcome means what it means on the page: ``done``
only on proof, ``refused`` with a reason, ``unknown`` otherwise. Nobody's rights are asked and no audit is written: who
has the PBX's account may do all. ``manage.py pbx`` is the same with both.
"""

from __future__ import annotations

from floor.targets import Ambiguous, NotFound, TargetError
from switchboard.board import NoLink, Outcome, Switchboard, Unwritten, connect, everything, features

__all__ = [
    "Ambiguous",
    "NoLink",
    "NotFound",
    "Outcome",
    "Switchboard",
    "TargetError",
    "Unwritten",
    "connect",
    "everything",
    "features",
]
