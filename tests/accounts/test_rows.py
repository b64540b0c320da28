"""Who may do what, written by hand, in the words of the product, with the reason: `decide()` on a live floor.

Extensions: 2?? are Dana's department, 3?? another's; 299, 298 and 297 are protected. Queues: sales (members 201, 221,
222, and 390 of the other department), support (301, 214). Conferences: 801 (a customer, 313), 802 (212, 312), 803
(213, 297), 900 (305).
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import pytest

from accounts.permissions import Rule, Scope, UserSnapshot, decide
from accounts.rights import ROLES
from floor import registry
from live.conferences import Room
from tests.floor.world import World
from tests.live.test_queues import MEMBER

PROTECTED: Final = frozenset(Rule("extension", "*", number) for number in ("297", "298", "299"))

LEAD = "Team lead"
WHISPERS = "Team lead who whispers"
RIGHTS: Final = {
    **ROLES,
    "nobody": frozenset[str](),
    WHISPERS: ROLES[LEAD] | {"calls.whisper", "calls.barge", "calls.switch"},
    "Recorder": ROLES[LEAD] | {"calls.record", "conferences.record"},
    "listens, sees nothing": frozenset({"calls.listen", "calls.hangup", "floor.everywhere"}),
    "listens only": frozenset({"calls.view", "calls.listen"}),
    "dismissed": ROLES["Admin"],
}

TEAMS: Final = {
    "none": (),
    "2??": (Rule("extension", "*", "2??"),),
    "sales": (Rule("queue", "*", "sales"),),
    "801": (Rule("conference", "*", "801"),),
    "802": (Rule("conference", "*", "802"),),
    "sales + 2??": (Rule("queue", "*", "sales"), Rule("extension", "*", "2??")),
    "whole lab": (Rule("pbx", "lab"),),
    "whole office": (Rule("pbx", "office"),),
    "2?? of office": (Rule("extension", "office", "2??"),),
    "own phone 201": (Rule("extension", "lab", "201"),),
    "2?? + 900": (Rule("extension", "*", "2??"), Rule("conference", "*", "900")),
}


class Day(World):
    """More of what happens on a floor."""

    def __init__(self) -> None:
        super().__init__()
        for number in ("221", "222", "390"):
            self.serves("sales", number)
        for caller, member in (("trunk-served", "221"), ("trunk-moved", "222"), ("trunk-lent", "390")):
            self.waits("sales", caller)
            self.serve("sales", caller, member)
        self.settled()
        # 222 sends his caller on to 351, who is no member of the queue, and is out of the call.
        self.leave("222", "br-trunk-moved")
        self.hangup("222")
        self.new("351", "PJSIP/351-1", "up")
        self.enter("351", "br-trunk-moved")
        # 390 talks with a colleague, on no call of a queue.
        self.new("390-other", "PJSIP/390-2", "up")
        self.new("352", "PJSIP/352-1", "up")
        for leg in ("390-other", "352"):
            self.enter(leg, "br-390")
        # Dana's own phone, 290, listens to 302; somebody else's, 291, to 301 and 391 to 202.
        for spyer, spyee in (("290", "302"), ("291", "301"), ("391", "202")):
            self.new(spyer, f"PJSIP/{spyer}-1", "up")
            self.event("ChanSpyStart", SpyerUniqueid=spyer, SpyeeUniqueid=spyee)
        self.settled()


class Row(NamedTuple):
    who: str
    teams: str
    verb: str
    what: str
    """The key of the thing, without the PBX's name."""
    meant: str
    """``yes``, or the code."""
    why: str


ROWS: Final = [
    # --- seeing, and rights
    Row("nobody", "whole lab", "calls.hangup", "201", "no_right", "no role, no right, whatever her team"),
    Row("dismissed", "whole lab", "calls.hangup", "201", "inactive", "an account that is not active may nothing"),
    Row("Agent", "2??", "calls.listen", "201", "no_right", "agents see calls and listen to none"),
    Row("Agent", "2??", "calls.hangup", "201", "no_right", "nor do they end them"),
    Row("Auditor", "none", "calls.listen", "201", "no_right", "an auditor reads who listened, and listens not"),
    Row(LEAD, "2??", "calls.whisper", "201", "no_right", "listening is not whispering"),
    Row(LEAD, "2??", "calls.barge", "201", "no_right", "nor barging in"),
    Row(LEAD, "2??", "calls.record", "201", "no_right", "nor recording"),
    Row("listens, sees nothing", "none", "calls.listen", "201", "hidden", "who may not see calls acts on none"),
    Row("listens, sees nothing", "none", "calls.hangup", "201", "hidden", "nor ends any"),
    # --- listening: all of our side must be hers
    Row(LEAD, "2??", "calls.listen", "201", "yes", "both are of her department"),
    Row(LEAD, "2??", "calls.listen", "203", "scope", "303 is not, and would be heard too"),
    Row(LEAD, "2??", "calls.listen", "301", "hidden", "another department's call is not there for her"),
    Row(LEAD, "none", "calls.listen", "201", "hidden", "a lead without a team has no call but her own phone's"),
    Row(LEAD, "sales", "calls.listen", "201", "hidden", "201 is a member, but this call is not the queue's"),
    Row(LEAD, "sales", "calls.listen", "trunk-served", "yes", "the queue's call, with its member"),
    Row(LEAD, "sales", "calls.listen", "trunk-lent", "yes", "a member of another department is the queue's there"),
    Row(LEAD, "2??", "calls.listen", "trunk-lent", "hidden", "without the queue he is another department's"),
    Row(LEAD, "sales", "calls.listen", "390-other", "hidden", "what a member says on other calls is not the queue's"),
    Row(
        LEAD,
        "sales",
        "calls.listen",
        "trunk-moved",
        "hidden",
        "sent on to no member, it is no more the queue's",
    ),
    Row(LEAD, "sales + 2??", "calls.listen", "trunk-moved", "hidden", "351 is nobody of hers, 222 has left the call"),
    Row(LEAD, "whole lab", "calls.listen", "trunk-moved", "yes", "the whole PBX is hers"),
    Row(LEAD, "whole lab", "calls.listen", "203", "yes", "with all departments on it"),
    Row(LEAD, "whole office", "calls.listen", "201", "hidden", "another PBX's number is another's"),
    Row(LEAD, "2?? of office", "calls.listen", "201", "hidden", "and the same extension there is another one"),
    Row("Supervisor", "none", "calls.listen", "301", "yes", "a supervisor has the whole floor, without a team"),
    Row("Supervisor", "none", "calls.barge", "203", "yes", "all of it, by voice too"),
    Row(
        "listens only",
        "own phone 201",
        "calls.listen",
        "201",
        "scope",
        "her own call: the other one is not hers",
    ),
    # --- whisper, barge, switch
    Row(WHISPERS, "2??", "calls.whisper", "201", "yes", "an own role may have more than a lead"),
    Row(WHISPERS, "2??", "calls.whisper", "203", "scope", "and reaches no further than her teams"),
    Row(WHISPERS, "2??", "calls.barge", "301", "hidden", "nor sees further"),
    Row(WHISPERS, "2??", "calls.switch", "210", "no_right", "another's listening nobody turns to more"),
    Row(WHISPERS, "2??", "calls.switch", "290", "hidden", "her own, on a call that left her teams, she turns no more"),
    Row(WHISPERS, "whole lab", "calls.switch", "290", "yes", "her own, on a call that is hers, she does"),
    # --- the protected
    Row(LEAD, "2??", "calls.listen", "204", "protected", "299 may not be monitored, though in her department"),
    Row("Supervisor", "none", "calls.listen", "204", "protected", "nor by who has the whole floor"),
    Row("Admin", "none", "calls.whisper", "204", "protected", "nor by an administrator"),
    Row("Admin", "none", "calls.barge", "204", "protected", "by no mode"),
    Row("Admin", "none", "calls.record", "204", "protected", "nor recorded"),
    Row("Admin", "none", "conferences.record", "803", "protected", "nor in a conference"),
    Row("Admin", "none", "calls.hangup", "204", "yes", "what is not monitoring is as with anybody"),
    Row("Admin", "none", "calls.transfer", "299", "yes", "a call of his may be transferred"),
    Row("Admin", "none", "calls.stop_record", "204", "yes", "a recording that he came into must be stoppable"),
    Row("Admin", "none", "calls.pause_record", "204", "yes", "and pausable"),
    Row("Admin", "none", "calls.resume_record", "204", "protected", "but not go on"),
    Row("Admin", "none", "conferences.stop_record", "803", "yes", "in a conference too"),
    # --- a call's end, a pickup, recording
    Row(LEAD, "2??", "calls.hangup", "203", "yes", "half of the call is hers: she may end it"),
    Row(LEAD, "2??", "calls.hangup", "301", "hidden", "nobody on it is"),
    Row(LEAD, "sales", "calls.hangup", "trunk-served", "yes", "the queue's call"),
    Row(LEAD, "2??", "calls.pickup", "203", "scope", "who picks up takes a call from whom it rings"),
    Row(LEAD, "2??", "calls.pickup", "201", "yes", "within her department"),
    Row("Recorder", "2??", "calls.record", "203", "scope", "recording hears all: all must be hers"),
    Row("Recorder", "2??", "calls.stop_record", "203", "yes", "to stop it, one of hers is enough"),
    # --- a leg of a call: it is done to that one
    Row(LEAD, "2??", "calls.transfer", "203", "yes", "her agent is sent elsewhere"),
    Row(LEAD, "2??", "calls.transfer", "303", "scope", "another department's is not"),
    Row(LEAD, "2??", "calls.park", "303", "scope", "nor parked"),
    Row(LEAD, "sales", "calls.transfer", "390", "yes", "a member on the queue's call is the queue's"),
    Row(LEAD, "sales", "calls.transfer", "trunk-served", "yes", "and the customer is nobody's"),
    Row("Agent", "2??", "calls.transfer", "201", "no_right", "an agent's own phone transfers, the panel not"),
    # --- parked
    Row(LEAD, "2??", "calls.retrieve", "trunk-in", "yes", "parked by 207, whose caller it is still"),
    Row(LEAD, "2??", "calls.retrieve", "trunk-out", "hidden", "parked by 307"),
    Row(LEAD, "2??", "calls.retrieve", "304", "scope", "208 parked him, but he is of the other department"),
    # --- who listens
    Row(LEAD, "2??", "calls.stop", "210", "yes", "a listening of her department's, to her department's call"),
    Row(LEAD, "2??", "calls.stop", "391", "scope", "who listens there is not of her department: not hers to stop"),
    Row(LEAD, "2??", "calls.stop", "310", "hidden", "another department's, all of it"),
    Row(LEAD, "2??", "calls.stop", "291", "hidden", "her colleague listens to a call that is not there for her"),
    Row(LEAD, "2??", "calls.stop", "290", "yes", "her own she may end wherever it has gone"),
    Row("listens only", "2??", "calls.stop", "290", "yes", "with no more than the right to begin it"),
    Row("listens only", "2??", "calls.stop", "210", "no_right", "others' need the right to hang up"),
    Row("listens only", "2??", "calls.stop", "310", "hidden", "and what she does not see is not there, not forbidden"),
    Row("Supervisor", "none", "calls.stop", "310", "yes", "a supervisor ends any"),
    Row("Agent", "2??", "calls.stop", "290", "no_right", "who may begin none, may end none"),
    # --- conferences
    Row(LEAD, "801", "conferences.kick", "trunk-801", "yes", "her conference, a customer in it"),
    Row(LEAD, "801", "conferences.kick", "313", "yes", "and whoever sits in it, of any department"),
    Row(LEAD, "2??", "conferences.kick", "313", "hidden", "neither he nor his conference is hers"),
    Row(LEAD, "2??", "conferences.kick", "212", "yes", "one of hers, in another's conference"),
    Row(LEAD, "2??", "conferences.kick", "312", "hidden", "but not who sits there with him"),
    Row(LEAD, "2??", "conferences.kick_all", "802", "scope", "nor all: 312 is not hers"),
    Row(LEAD, "802", "conferences.kick_all", "802", "yes", "all, in a conference of her team's"),
    Row(LEAD, "2??", "conferences.invite", "802", "scope", "a conference that is not wholly hers she fills not"),
    Row(LEAD, "2??", "conferences.mute_others", "802", "scope", "nor silences"),
    Row(LEAD, "2??", "conferences.invite", "900", "hidden", "nor one that she does not see"),
    Row(LEAD, "2?? + 900", "conferences.invite", "900", "yes", "unless her team has it"),
    Row(LEAD, "801", "conferences.lock", "801", "no_right", "leads lock none"),
    Row("Supervisor", "none", "conferences.lock", "900", "yes", "supervisors any"),
    Row("Recorder", "802", "conferences.record", "802", "yes", "the conference answers for who sits in it"),
    Row("Recorder", "2??", "conferences.record", "802", "scope", "half a department does not"),
    # --- queues
    Row(LEAD, "sales", "queues.pause", "sales/PJSIP/201", "yes", "a member of her queue"),
    Row(LEAD, "sales", "queues.pause", "sales/PJSIP/390", "yes", "of whatever department"),
    Row(LEAD, "2??", "queues.pause", "support/PJSIP/214", "yes", "her agent, in another's queue"),
    Row(LEAD, "2??", "queues.pause", "support/PJSIP/301", "hidden", "neither"),
    Row(LEAD, "sales", "queues.remove", "support/PJSIP/214", "hidden", "another queue's member"),
    Row(LEAD, "sales", "queues.add", "sales", "yes", "her queue"),
    Row(LEAD, "2??", "queues.add", "sales", "hidden", "a queue is seen by its own name, not by its members'"),
    Row(LEAD, "sales", "queues.first", "trunk-sales", "yes", "who waits in her queue is hers to serve"),
    Row(LEAD, "sales", "queues.first", "315", "yes", "also a colleague of another department: he called the queue"),
    Row(LEAD, "sales", "calls.listen", "315", "scope", "but to listen to him is another thing"),
    Row(LEAD, "sales", "queues.withdraw", "trunk-support", "hidden", "who waits elsewhere is not there"),
    Row(LEAD, "2??", "queues.send", "trunk-sales", "hidden", "and without the queue nobody is"),
    Row("Agent", "sales", "queues.pause", "sales/PJSIP/201", "no_right", "agents pause nobody from the panel"),
    Row("Supervisor", "none", "queues.withdraw", "trunk-support", "yes", "supervisors serve all queues"),
    # --- the PBX itself
    Row(LEAD, "2??", "calls.call", "", "yes", "she has something on this PBX: she may call from it"),
    Row(LEAD, "whole office", "calls.call", "", "hidden", "nothing: not from this one"),
    Row(LEAD, "none", "calls.call", "", "hidden", "no team, no phone: from none"),
    Row("Agent", "2??", "calls.call", "", "no_right", "agents call by their phones"),
]


def person(who: str, teams: str) -> UserSnapshot:
    """Dana, user 7, whose phone on `lab` is 290 where that matters (who has no team has no phone either)."""
    rights = RIGHTS[who] - {"calls.switch"}
    return UserSnapshot(
        id=7,
        name="Dana",
        active=who != "dismissed",
        rights=rights,
        phones=(("lab", "PJSIP/290"),),
        scope=Scope(frozenset(TEAMS[teams]), everywhere="floor.everywhere" in rights),
        protected=PROTECTED,
    )


@cache
def day() -> Day:
    return Day()


def decided(row: Row) -> str:
    action = registry.ACTIONS[row.verb]
    target = day().target(action.target, row.what)
    assert target is not None, f"{row.verb}: there is no {action.target} {row.what}"
    decision = decide(person(row.who, row.teams), action.right, target)
    return "yes" if decision.allowed else decision.code


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:4]).replace(" ", "_"))
def test_row(row: Row) -> None:
    assert decided(row) == row.meant, row.why


def test_there_are_enough_of_them() -> None:
    assert len({row[:4] for row in ROWS}) == len(ROWS) >= 60
    assert {row.meant for row in ROWS} == {"yes", "inactive", "no_right", "hidden", "protected", "scope"}
    assert sum(row.meant == "yes" for row in ROWS) >= 20


def test_a_queue_vouches_as_long_as_the_call_is_its_own() -> None:
    """The same call: the caller waits, a member talks with him, a stranger to the queue comes to it."""
    world = World()
    lead = person(LEAD, "sales")

    def listens() -> str:
        target = world.target("call", "trunk-sales")
        decision = decide(lead, "calls.listen", target)
        return "yes" if decision.allowed else decision.code

    assert listens() == "yes", "he waits; nobody of ours is on it"
    world.serves("sales", "221")
    world.serve("sales", "trunk-sales", "221")
    assert listens() == "yes"
    world.settled()
    assert listens() == "yes"
    world.new("351", "PJSIP/351-1", "up")
    world.enter("351", "br-trunk-sales")
    assert listens() == "scope", "before any look has told of it"
    world.settled()
    assert listens() == "scope"
    world.leave("221", "br-trunk-sales")
    world.hangup("221")
    world.settled()
    assert listens() == "hidden"


def test_an_agent_outside_is_the_queues_too() -> None:
    """On his mobile, by a trunk: nobody of ours is on the call, and it came from the queue."""
    world = World()
    world.serve("sales", "trunk-sales", "trunk-mobile")
    world.settled()
    target = world.target("call", "trunk-sales")
    assert target is not None
    assert (target.numbers, target.queue) == ((), "sales")


def test_an_agent_by_a_piece_of_dialplan_is_known_by_its_phone() -> None:
    world = World()
    about = {"Queue": "sales", "MemberName": "x", "Interface": "Local/390@from-queue/n"}
    world.event("QueueMemberAdded", **about, **MEMBER | {"StateInterface": "hint:391@ext-local", "Ringinuse": 0})
    world.serve("sales", "trunk-sales", "391")
    world.settled()
    target = world.target("call", "trunk-sales")
    assert target is not None
    assert target.vouched == ("391",)
    member = world.target("member", "sales/Local/390@from-queue/n")
    assert member is not None
    assert member.numbers == member.acted == ("390",)


def test_a_room_vouches_for_who_sits_in_it_alone() -> None:
    world = World()
    room = world.found("room", "801")
    assert room is not None
    assert isinstance(room.subject, Room)
    assert room.target("room", "lab").vouched == ("313",)
    call = world.target("call", "313")
    assert call is not None
    assert (call.room, call.vouched, call.queue) == ("801", ("313",), "")
