"""Queues: who serves them, who waits in them and in which order, as events and lists tell in any order."""

from __future__ import annotations

import pytest

from ami.protocol import Message
from live.resync import QUEUES, untold
from tests.live.scene import Scene, message

MEMBER = {
    "StateInterface": "PJSIP/101",
    "Membership": "static",
    "Penalty": 0,
    "CallsTaken": 0,
    "LastCall": 0,
    "LastPause": 0,
    "LoginTime": 900,
    "InCall": 0,
    "Status": 1,
    "Paused": 0,
    "PausedReason": "",
    "Wrapuptime": 0,
}


class Floor(Scene):
    """A queue ``sales``, its member 101 and callers."""

    def member(self, event: str = "QueueMemberStatus", interface: str = "PJSIP/101", **told: object) -> None:
        about = {"Queue": "sales", "MemberName": "Ann", "Interface": interface}
        self.event(event, **about, **MEMBER | {"Ringinuse": 0} | told)

    def caller(self, uniqueid: str, position: int, queue: str = "sales") -> None:
        if uniqueid not in self.names:
            self.new(uniqueid, f"PJSIP/20{len(self.names)}-0000{uniqueid}", "up")
        self.event("QueueCallerJoin", **self.snapshot(uniqueid), Queue=queue, Position=position)

    def left(self, uniqueid: str, queue: str = "sales") -> None:
        self.event("QueueCallerLeave", **self.snapshot(uniqueid), Queue=queue)

    def connect(self, caller: str, interface: str = "PJSIP/101") -> None:
        self.event("AgentConnect", **self.snapshot(caller), Queue="sales", Interface=interface)

    def complete(self, talked: int, caller: str = "", interface: str = "PJSIP/101") -> None:
        about = self.snapshot(caller) if caller else {}
        self.event("AgentComplete", **about, Queue="sales", Interface=interface, TalkTime=talked)

    def listed(self, *items: Message) -> int:
        return QUEUES.replace(self.pbx, list(items), self.now)

    @property
    def told(self) -> dict[str, object]:
        (fields,) = self.pbx.entities()["member"].values()
        return dict(fields)

    @property
    def order(self) -> list[object]:
        self.settled()
        return list(self.pbx.entities()["queue"]["lab/sales"]["waiting"])  # type: ignore[arg-type]


def params(queue: str = "sales", **more: object) -> Message:
    figures = {"Strategy": "rrmemory", "Max": 0, "Weight": 5, "Completed": 3, "Abandoned": 1, "Holdtime": 4}
    rest = {"TalkTime": 60, "ServiceLevel": 20, "ServicelevelPerf": "66.7", "ServicelevelPerf2": "50.0"}
    return message("Event", "QueueParams", Queue=queue, **figures, **rest, **more)


def member(interface: str = "PJSIP/101", queue: str = "sales", **told: object) -> Message:
    return message("Event", "QueueMember", Queue=queue, Name="Ann", Location=interface, **MEMBER | told)


def entry(uniqueid: str, position: int, **told: object) -> Message:
    about = {"Queue": "sales", "Position": position, "Uniqueid": uniqueid, "Wait": 7, "Priority": 0}
    return message("Event", "QueueEntry", **about | told)


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.listed(params(), member())
    floor.settled()
    return floor


# --- members


def test_what_a_list_tells_of_a_queue(floor: Floor) -> None:
    assert floor.pbx.entities()["queue"] == {
        "lab/sales": {
            "name": "sales",
            "strategy": "rrmemory",
            "max": 0,
            "weight": 5,
            "members": ["lab/sales/PJSIP/101"],
            "waiting": [],
            "completed": 3,
            "abandoned": 1,
            "hold_s": 4,
            "talk_s": 60,
            "target_s": 20,
            "within": "66.7",
            "within_all": "50.0",
        }
    }
    assert floor.told["name"] == "Ann"
    assert floor.told["login"] == 900_000
    assert floor.told["status"] == "not_inuse"


def test_pause_penalty_and_state_are_seen_as_they_are_told(floor: Floor) -> None:
    floor.member("QueueMemberPause", Paused=1, PausedReason="lunch", LastPause=950)
    floor.member("QueueMemberPenalty", Paused=1, PausedReason="lunch", LastPause=950, Penalty=4)
    floor.member(Paused=1, PausedReason="lunch", LastPause=950, Penalty=4, Status=6)
    floor.settled()
    want = {"paused": True, "reason": "lunch", "last_pause": 950_000, "penalty": 4, "status": "ringing"}
    assert want.items() <= floor.told.items()


def test_members_come_and_go(floor: Floor) -> None:
    floor.member("QueueMemberAdded", "Local/102@from-queue/n", Membership="dynamic")
    floor.settled()
    key = "lab/sales/Local/102@from-queue/n"
    assert floor.pbx.entities()["queue"]["lab/sales"]["members"] == ["lab/sales/PJSIP/101", key]
    rev = floor.pbx.entities()["member"][key]["rev"]
    floor.member("QueueMemberRemoved", "Local/102@from-queue/n")
    floor.settled()
    assert key not in floor.pbx.entities()["member"]
    floor.member("QueueMemberAdded", "Local/102@from-queue/n", Membership="dynamic")
    floor.settled()
    assert floor.pbx.entities()["member"][key]["rev"] != rev, "what was clicked on was another"


def test_one_whom_only_a_reload_added_is_seen_at_its_first_event(floor: Floor) -> None:
    floor.member(interface="PJSIP/109")
    floor.settled()
    assert "lab/sales/PJSIP/109" in floor.pbx.entities()["member"]
    assert floor.listed(params(), member(), member("PJSIP/109")) == 0


def test_a_list_corrects_what_no_event_told(floor: Floor) -> None:
    assert floor.listed(params(), member(Paused=1)) == 1
    assert floor.listed(params(), member(Paused=1, CallsTaken=9)) == 0, "a counter is no correction"
    assert floor.listed(params("other")) == 3, "a new queue, a queue and a member that are gone"
    floor.settled()
    assert set(floor.pbx.entities()["queue"]) == {"lab/other"}
    assert floor.pbx.entities()["member"] == {}


# --- who is in a call


def test_in_call_from_the_answer_to_the_end(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.left("a")
    floor.connect("a")
    floor.member(Status=2)  # its InCall is from before the answer
    floor.settled()
    assert floor.told["in_call"] is True
    floor.later(30)
    floor.complete(30, "a")
    floor.settled()
    assert floor.told["in_call"] is False


def test_the_end_of_a_call_may_name_no_channel(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.connect("a")
    floor.later(30)
    floor.complete(31)
    assert floor.pbx.queues.members["sales", "PJSIP/101"].in_call is False


def test_of_two_calls_the_newest_counts(floor: Floor) -> None:
    """As for Asterisk: the second answer overwrites the first one's moment."""
    one = floor.pbx.queues.members["sales", "PJSIP/101"]
    floor.caller("a", 1)
    floor.connect("a")
    floor.later(30)
    floor.caller("b", 1)
    floor.connect("b")
    floor.later(10)
    floor.complete(40)  # by its length the first one's
    assert one.in_call is True
    floor.complete(10)
    assert one.in_call is False


def test_two_answers_in_one_second_are_one_to_asterisk(floor: Floor) -> None:
    """On 16 and 22 a member's call is the second in which it was answered: the end of either ends both."""
    one = floor.pbx.queues.members["sales", "PJSIP/101"]
    floor.caller("a", 1)
    floor.caller("b", 2)
    floor.connect("a")
    floor.later(0.2)
    floor.connect("b")
    floor.later(10)
    floor.complete(10, "a")
    assert one.in_call is False


def test_an_answer_that_was_told_late_is_known_by_how_long_the_call_lasted(floor: Floor) -> None:
    one = floor.pbx.queues.members["sales", "PJSIP/101"]
    floor.caller("a", 1)
    floor.caller("b", 2)
    floor.connect("a")
    floor.later(0.2)
    floor.connect("b")
    floor.later(0.7)
    floor.complete(2, "a")  # so it was answered before the second in which we heard of both
    assert one.in_call is True


def test_the_end_of_a_call_that_the_panel_never_saw_ends_no_other(floor: Floor) -> None:
    one = floor.pbx.queues.members["sales", "PJSIP/101"]
    floor.caller("a", 1)
    floor.connect("a")
    floor.later(10)
    floor.complete(500)
    assert one.in_call is True


def test_a_call_from_before_the_panel_came_ends_too(floor: Floor) -> None:
    one = floor.pbx.queues.members["sales", "PJSIP/101"]
    floor.listed(params(), member(InCall=1, Status=2))
    assert one.in_call is True
    floor.complete(500)
    assert one.in_call is False


def test_a_device_that_became_free_has_no_call(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.connect("a")
    floor.member(Status=1)
    assert floor.pbx.queues.members["sales", "PJSIP/101"].in_call is False


def test_what_an_event_says_of_a_member_nobody_knows_harms_nothing(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.connect("a", interface="PJSIP/999")
    floor.complete(3, interface="PJSIP/999")
    floor.event("QueueMemberRemoved", Queue="nowhere", Interface="PJSIP/1")
    assert set(floor.pbx.queues.members) == {("sales", "PJSIP/101")}


# --- callers


def test_callers_stand_in_the_order_in_which_they_will_be_served(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.caller("b", 2)
    floor.caller("c", 1)  # of higher priority
    assert floor.order == ["lab/c", "lab/a", "lab/b"]
    waiting = floor.pbx.entities()["waiting"]
    assert [waiting[f"lab/{uniqueid}"]["position"] for uniqueid in "cab"] == [1, 2, 3]
    floor.left("a")
    assert floor.order == ["lab/c", "lab/b"]
    assert waiting["lab/b"]["position"] == 2


def test_one_whose_channel_is_told_later_moves_those_behind(floor: Floor) -> None:
    floor.caller("b", 1)
    floor.event("QueueCallerJoin", Uniqueid="a", Queue="sales", Position=1)  # of higher priority
    assert floor.order == ["lab/b"]
    floor.new("a", "PJSIP/209-0000000a", "up")
    assert floor.order == ["lab/a", "lab/b"]
    waiting = floor.pbx.entities()["waiting"]
    assert [waiting[f"lab/{uniqueid}"]["position"] for uniqueid in "ab"] == [1, 2]


def test_only_what_a_move_changes_is_told(floor: Floor) -> None:
    for place, uniqueid in enumerate("abc", 1):
        floor.caller(uniqueid, place)
    floor.settled()
    floor.left("b")
    assert floor.settled().up["waiting"] == {"lab/c": {"position": 2}}


def test_who_waits_is_on_a_call_that_waits(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.settled()
    call = floor.only()
    assert (call["phase"], call["queue"]) == ("waiting", "sales")
    (caller,) = floor.pbx.entities()["waiting"].values()
    assert caller["call"] in floor.calls
    assert caller["number"] == "200"


@pytest.mark.parametrize("early", [False, True])
def test_who_is_answered_at_once_came_from_the_queue_all_the_same(floor: Floor, early: bool) -> None:
    """No look fell into the wait; the join may even be ahead of its channel."""
    if early:
        floor.names["a"], floor.states["a"] = "PJSIP/201-0000a", "up"
        floor.caller("a", 1)
        floor.new("a", "PJSIP/201-0000a", "up")
    else:
        floor.caller("a", 1)
    floor.left("a")
    floor.new("b", "PJSIP/101-0000b", "up")
    floor.enter("a", "br")
    floor.enter("b", "br")
    floor.settled()
    assert (floor.only()["phase"], floor.only()["queue"]) == ("talking", "sales")


def test_who_left_the_queue_for_a_menu_is_the_queues_no_more(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.settled()
    floor.left("a")
    floor.settled()
    assert (floor.only()["phase"], floor.only()["queue"]) == ("menu", "")
    floor.new("b", "PJSIP/101-0000b", "up")
    floor.enter("a", "br")
    floor.enter("b", "br")
    floor.settled()
    assert (floor.only()["phase"], floor.only()["queue"]) == ("talking", "")


def test_the_end_of_the_leg_ends_the_wait_whatever_else_is_told(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.caller("b", 2)
    floor.hangup("a")
    floor.left("a")
    assert floor.order == ["lab/b"]
    floor.caller("a", 1)
    assert floor.order == ["lab/b"], "nothing raises the dead"
    assert floor.pbx.unknown == 0


def test_a_join_may_be_ahead_of_its_channel(floor: Floor) -> None:
    floor.names["a"], floor.states["a"] = "PJSIP/201-1", "up"
    floor.event("QueueCallerJoin", **floor.snapshot("a"), Queue="sales", Position=1)
    floor.caller("b", 2)
    assert floor.order == ["lab/b"]
    floor.new("a", "PJSIP/201-1", "up")
    assert floor.order == ["lab/a", "lab/b"]
    assert floor.pbx.unknown == 0


def test_a_join_whose_channel_never_comes_is_a_fault(floor: Floor) -> None:
    floor.event("QueueCallerJoin", Uniqueid="ghost", Queue="sales", Position=1)
    floor.later(3)
    floor.look()
    assert floor.pbx.unknown == 1
    assert floor.order == []


def test_from_one_queue_to_the_next(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.settled()
    rev = floor.pbx.entities()["waiting"]["lab/a"]["rev"]
    floor.caller("a", 1, "support")
    floor.left("a", "sales")  # late
    assert floor.order == []
    assert floor.pbx.entities()["queue"]["lab/support"]["waiting"] == ["lab/a"]
    assert floor.pbx.entities()["waiting"]["lab/a"]["rev"] != rev


def test_a_list_sets_the_order_right(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.caller("b", 2)
    assert floor.listed(params(), member(), entry("a", 1), entry("b", 2)) == 0
    assert floor.listed(params(), member(), entry("b", 1, Priority=5), entry("a", 2)) == 1
    assert floor.order == ["lab/b", "lab/a"]
    assert floor.pbx.entities()["waiting"]["lab/b"]["priority"] == 5


def test_a_list_tells_of_whom_events_told_nothing(floor: Floor) -> None:
    floor.new("a", "PJSIP/201-1", "up")
    floor.caller("gone", 1)
    assert floor.listed(params(), member(), entry("a", 1)) == 2, "one came, one went"
    floor.settled()
    assert floor.order == ["lab/a"]
    (caller,) = floor.pbx.entities()["waiting"].values()
    assert caller["since"] == round((floor.now - 1.0 - 7) * 1000), "it has waited for 7 s"
    phases = {call["phase"] for call in floor.calls.values()}
    assert phases == {"waiting", "menu"}


def test_a_list_raises_no_dead(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.hangup("a")
    floor.listed(params(), member(), entry("a", 1))
    assert floor.order == []


def test_all_is_told_anew_after_an_error_of_ours(floor: Floor) -> None:
    floor.caller("a", 1)
    floor.settled()
    kinds = ("queue", "member", "waiting")
    before = {kind: dict(floor.pbx.entities()[kind]) for kind in kinds}
    floor.pbx.retell()
    floor.settled()
    assert {kind: floor.pbx.entities()[kind] for kind in kinds} == before


def test_counters_are_asked_for_while_there_are_queues(floor: Floor) -> None:
    assert QUEUES in untold(floor.pbx)
    assert untold(Scene().pbx) == ()


# --- an attended transfer into a queue


def test_whom_an_agent_transfers_into_a_queue_waits_in_the_agents_place(floor: Floor) -> None:
    """QueueCallerJoin names the agent's second leg; no event tells that another one waits there then [16 and 22]."""
    floor.ring("a", "b")
    floor.answer("a", "b")
    floor.caller("first", 1)
    floor.caller("b2", 2)
    floor.caller("last", 3)
    floor.later(7)
    floor.attended("b", "b2", transferee="a")
    floor.hangup("b2")
    floor.leave("a", "br")
    floor.hangup("b")
    assert floor.order == ["lab/first", "lab/a", "lab/last"]
    waiting = floor.pbx.entities()["waiting"]["lab/a"]
    assert (waiting["position"], waiting["since"], waiting["number"]) == (2, 1_000_500, "201")
    call = floor.calls[str(waiting["call"])]
    assert (call["phase"], call["queue"]) == ("waiting", "sales")
    floor.left("a")
    assert floor.order == ["lab/first", "lab/last"]
