"""A small contact centre at work: who calls, how long they wait, talk and hold, and when they have had enough.

Everything follows from the seed and from the time that passes: the same seed makes the same people call in the same
order. Nothing here knows of AMI; it moves a ``Pbx`` as phones and trunks do.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from demo.channels import Channel
from demo.lines import Registration
from demo.parking import EXTEN as PARK
from demo.pbx import Pbx
from demo.queues import Member

SUPERVISOR: Final = "2000"
SUPERVISOR_ANSWERS_S: Final = 1.0

AGENTS: Final = {
    "2001": "Amélie Laurent",
    "2002": "Björn Lindqvist",
    "2003": "Chiara Rossi",
    "2004": "Dmitri Orlov",
    "2005": "Elif Yıldız",
    "2006": "Frank Osei",
    "2007": "Grace O'Neill",
    "2008": "Hana Nováková",
    "2009": "Ivan Petrenko",
    "2010": "Jonas Weber",
    "2011": "Katarzyna Nowak",
    "2012": "Luis Fernández",
}
TRUNKS: Final = ("PJSIP/trunk-north", "PJSIP/trunk-south")
PROVIDERS: Final = {"PJSIP/trunk-north": "sip.north.example", "PJSIP/trunk-south": "sip.south.example"}
ROOM: Final = "8001"

QUEUES: Final = {
    "Sales": ("6001", ("2001", "2002", "2003", "2004", "2005"), 5),
    "Support": ("6002", ("2005", "2006", "2007", "2008", "2009"), 6),
    "Billing": ("6003", ("2009", "2010", "2011", "2012"), 3),
}
"""Name → extension, agents, and how many of fourteen callers want it."""
FIXED: Final = "Support"
"""The queue whose members are in its configuration: nobody can remove them. Those of the others have logged in."""
HELPERS: Final = {("Billing", "2009"), ("Support", "2005")}
"""Who serves a queue only when all others are busy."""
BREAKS: Final = {
    "Coffee": (60.0, 180.0),
    "Paperwork": (40.0, 120.0),
    "Lunch": (240.0, 600.0),
    "Training": (180.0, 400.0),
}
"""Reason → how long such a pause lasts, seconds."""

# Numbers that are kept free for fiction, or never given out: nobody's telephone is on the screen.
CUSTOMERS: Final = (
    ("+442079460123", "Maria Weber"),
    ("+442079460188", "Owen Price"),
    ("+441632960045", "Northgate Dental"),
    ("+441632960761", "Zoë Ćwikła"),
    ("+12025550143", "Harold Jenkins"),
    ("+12025550178", "Riverside Books"),
    ("+13125550109", "Priya Raman"),
    ("+14155550162", "Marcus O'Brien"),
    ("+33199001234", "Hélène Dubois"),
    ("+33199005678", "Boulangerie Petit"),
    ("+493023125042", "Jürgen Groß"),
    ("+493023125917", "Café Sonnenschein"),
    ("+74950000042", "Анна Соколова"),
    ("+380000000117", "Олена Шевчук"),
    ("+81300001234", "田中 美咲"),
    ("+302100000045", "Νίκος Παππάς"),
    ("+447700900142", ""),
    ("+447700900386", ""),
    ("+12125550117", ""),
    ("+447700900517", "Thabo Nkosi"),
    ("+61255501234", "Ruby Taylor"),
    ("+61255505678", "Coastal Surf Hire"),
    ("+353209100017", "Siobhán Byrne"),
    ("+46313900642", "Åsa Öberg"),
)
WITHHELD: Final = ("", "")
WITHHELD_SHARE: Final = 0.07

ARRIVAL_S: Final = 12.0
"""Mean seconds between two callers; they come as chance has it (Poisson)."""
OUTBOUND_S: Final = 38.0
INTERNAL_S: Final = 55.0
GUEST_S: Final = 25.0
BREAK_S: Final = 45.0
AWAY: Final = 3
"""No more agents than these are on a break at once."""
UNPLUGGED_S: Final = 420.0
OUTAGE_S: Final = 600.0
PARK_SHARE: Final = 0.07
PATIENCE_S: Final = 60.0
AT_START: Final = 7
"""Callers in the first seconds, so that the floor is not empty when somebody looks."""
ROOM_SIZE: Final = 3


class Scenario:
    """Call ``open`` before anybody listens, ``start`` when time may run."""

    def __init__(self, pbx: Pbx, seed: int) -> None:
        self._pbx = pbx
        self._random = random.Random(seed)
        self._seed = seed
        self._people = 0

    def open(self) -> None:
        """Put up the phones, trunks, queues and rooms."""
        pbx = self._pbx
        pbx.lines.add_phone(SUPERVISOR, "Supervisor")
        for exten, name in AGENTS.items():
            pbx.lines.add_phone(exten, name)
        for trunk in TRUNKS:
            name = trunk.partition("/")[2]
            pbx.lines.add_trunk(trunk, Registration(name, "phoenix", PROVIDERS[trunk]))
        for queue, (exten, members, _) in QUEUES.items():
            added = pbx.add_queue(queue, exten, members if queue == FIXED else ())
            for agent in members if queue != FIXED else ():
                pbx.queueing.add(Member(added, AGENTS[agent], f"PJSIP/{agent}", int(pbx.booted), dynamic=True))
            for member in added.members:
                member.penalty = 5 * ((queue, member.interface.removeprefix("PJSIP/")) in HELPERS)
        pbx.add_room(ROOM)
        pbx.people = self

    def start(self) -> None:
        """Let the day begin."""
        later = self._pbx.later
        for number in range(AT_START):
            later(0.1 + 0.35 * number, self._customer)
        for number in range(3):
            later(0.4 + 0.9 * number, self._guest)
        later(1.2, self._outbound)
        later(2.0, self._internal)
        self._again(ARRIVAL_S, self._customer)
        self._again(OUTBOUND_S, self._outbound)
        self._again(INTERNAL_S, self._internal)
        self._again(GUEST_S, self._guest)
        self._again(BREAK_S, self._break)
        self._again(UNPLUGGED_S, self._unplug)
        self._again(OUTAGE_S, self._outage)

    def _again(self, mean: float, what: Callable[[], None]) -> None:
        """Do it over and over, by chance: on average once in so many seconds."""

        def go() -> None:
            self._again(mean, what)
            what()

        self._pbx.later(max(0.5, self._random.expovariate(1 / mean)), go)

    def _one(self) -> random.Random:
        """The chance of one person: what becomes of one does not move the dice of the next."""
        self._people += 1
        return random.Random(f"{self._seed}:{self._people}")

    # --- who begins a call

    def _customer(self) -> None:
        chance = self._one()
        number, name = WITHHELD if chance.random() < WITHHELD_SHARE else self._idle(chance)
        names = [queue for queue, (_, _, weight) in QUEUES.items() for _ in range(weight)]
        exten, _, _ = QUEUES[chance.choice(names)]
        self._pbx.incoming(chance.choice(TRUNKS), number, name, exten, "from-trunk")

    def _outbound(self) -> None:
        chance, agent = self._one(), self._free()
        number, _ = self._idle(chance)
        if agent and number:
            self._pbx.incoming(f"PJSIP/{agent}", agent, AGENTS[agent], f"0{number}")

    def _internal(self) -> None:
        agent = self._free()
        other = self._free(but=agent)
        if agent and other:
            self._pbx.incoming(f"PJSIP/{agent}", agent, AGENTS[agent], other)

    def _guest(self) -> None:
        chance, room = self._one(), self._pbx.seats.rooms.get(ROOM)
        if room is not None and len(room.participants) >= ROOM_SIZE:
            return
        ours = room is not None and any(one.channel.device not in TRUNKS for one in room.participants)
        agent = "" if ours else self._free()
        if agent:
            self._pbx.incoming(f"PJSIP/{agent}", agent, AGENTS[agent], ROOM)
            return
        number, name = self._idle(chance)
        if number:
            self._pbx.incoming(chance.choice(TRUNKS), number, name, ROOM, "from-trunk")

    def _break(self) -> None:
        """An agent takes a break, in all his queues."""
        chance, queueing = self._one(), self._pbx.queueing
        away = [agent for agent in AGENTS if any(one.paused for one in queueing.members(f"PJSIP/{agent}"))]
        agent = self._free()
        if not agent or agent in away or len(away) >= AWAY:
            return
        reason = chance.choice([*BREAKS])

        def pause(paused: bool) -> None:
            for member in queueing.members(f"PJSIP/{agent}"):
                if member.paused is not paused:
                    queueing.pause(member, paused, reason if paused else "")

        pause(True)
        self._pbx.later(chance.uniform(*BREAKS[reason]), lambda: pause(False))

    def _unplug(self) -> None:
        """A phone is out of reach for a while."""
        chance, agent = self._one(), self._free()
        if agent:
            phone = self._pbx.lines.phones[agent]

            def plug(registered: bool) -> None:
                self._pbx.lines.register_phone(phone, registered)
                self._pbx.settle()

            plug(False)
            self._pbx.later(chance.uniform(20, 60), lambda: plug(True))

    def _outage(self) -> None:
        """A provider does not know us for a while; who talks over its trunk goes on talking."""
        chance = self._one()
        registration = chance.choice([*self._pbx.lines.registrations.values()])
        if registration.registered:
            register = self._pbx.lines.register_trunk
            register(registration, False)
            self._pbx.later(chance.uniform(15, 40), lambda: register(registration, True))

    def _idle(self, chance: random.Random) -> tuple[str, str]:
        """Somebody outside who is not on the line now: nobody calls twice at a time. Withheld when there is none."""
        busy = {channel.number for channel in self._pbx.channels.values()}
        return chance.choice([one for one in CUSTOMERS if one[0] not in busy] or [WITHHELD])

    def _free(self, but: str = "") -> str:
        free = [agent for agent in AGENTS if agent != but and self._pbx.state(f"PJSIP/{agent}") == "NOT_INUSE"]
        # One is left to the queues, or nobody would ever be served in a rush.
        return self._random.choice(free) if len(free) > 1 else ""

    # --- what happens to people, and what they do then

    def rings(self, leg: Channel) -> None:
        """A phone rings: somebody answers, or does not want to."""
        chance = self._one()
        if leg.device == f"PJSIP/{SUPERVISOR}":
            self._pbx.later(SUPERVISOR_ANSWERS_S, lambda: self._pbx.answer(leg))
        elif leg.device in TRUNKS and chance.random() < 0.2:
            self._pbx.later(chance.uniform(4, 14), lambda: self._pbx.hangup(leg))
        elif leg.served is not None and chance.random() < 0.06:
            self._pbx.later(chance.uniform(3, 8), lambda: self._pbx.hangup(leg))
        else:
            self._pbx.later(chance.uniform(2, 8), lambda: self._pbx.answer(leg))

    def waits(self, caller: Channel) -> None:
        """A caller waits in a queue, until his patience ends."""

        def enough() -> None:
            if caller.waits is not None:
                self._pbx.hangup(caller)

        self._pbx.later(8 + self._one().expovariate(1 / PATIENCE_S), enough)

    def talks(self, caller: Channel, callee: Channel) -> None:
        """Two talk: for a while, perhaps with a pause on hold, perhaps passed on, and then one hangs up."""
        chance, bridge = self._one(), callee.bridge
        length = min(240.0, max(12.0, chance.lognormvariate(4.1, 0.6)))
        agent = callee if callee.device not in TRUNKS else caller
        internal = {caller.device, callee.device}.isdisjoint(TRUNKS)

        def still(call: Callable[[], object]) -> None:
            if callee.alive and callee.bridge is bridge:
                call()

        def at(seconds: float, call: Callable[[], object]) -> None:
            self._pbx.later(seconds, lambda: still(call))

        if not internal and chance.random() < 0.4:
            begins = length * chance.uniform(0.15, 0.5)
            at(begins, lambda: self._pbx.hold(agent))
            at(min(begins + chance.uniform(6, 25), length - 2), lambda: self._pbx.unhold(agent))
        fate = chance.random()
        if not internal and agent is callee and fate < 0.12:
            at(length * 0.7, lambda: self._pass_on(agent))
        elif not internal and agent is callee and fate < 0.12 + PARK_SHARE:
            at(length * 0.4, lambda: self._pbx.transfer(agent, PARK))
        who = caller if chance.random() < 0.6 else callee
        at(length, lambda: self._pbx.hangup(who))

    def _pass_on(self, agent: Channel) -> None:
        other = self._free()
        exten = other or self._random.choice([exten for exten, _, _ in QUEUES.values()])
        self._pbx.transfer(agent, exten)

    def parked(self, channel: Channel, space: str) -> None:
        """A caller waits in the lot, until somebody who is free fetches him; or nobody does, and he comes back."""

        def fetch() -> None:
            agent = self._free()
            if agent and channel.parked is not None and str(channel.parked.space) == space:
                self._pbx.incoming(f"PJSIP/{agent}", agent, AGENTS[agent], space)

        self._pbx.later(self._one().uniform(8, 40), fetch)

    def sits(self, channel: Channel) -> None:
        """One in the conference: speaks and is silent in turns, and leaves when he has to."""
        chance, seat = self._one(), channel.sits

        def turn(speaks: bool) -> None:
            if seat is not None and channel.sits is seat:
                self._pbx.seats.speak(seat, speaks)
                self._pbx.later(chance.uniform(2, 9) if speaks else chance.uniform(4, 25), lambda: turn(not speaks))

        def leave() -> None:
            if channel.sits is seat:
                self._pbx.hangup(channel)

        self._pbx.later(chance.uniform(0.5, 6), lambda: turn(True))
        if channel.device != f"PJSIP/{SUPERVISOR}":
            self._pbx.later(chance.uniform(60, 300), leave)
