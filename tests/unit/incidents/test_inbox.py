"""The order in which the incident owner is fed: as it comes, or by event time behind what all streams are judged to."""

from __future__ import annotations

import itertools
from typing import Any

from schemas.actions import ExpireSilence
from schemas.findings import Finding, Onset, Progress
from stream.incidents.inbox import Arrival, EventInbox, Message
from stream.incidents.live_inbox import LiveInbox

LATENESS = 5


def finding(key: str, at: int, *, lateness: int = LATENESS) -> Finding:
    return Finding(
        key=key, rev=(at, 0), state="firing", model="m", rule="psi", kind="drift", subject="feature:m/temp", severity="P1",
        at=at, seen=at + lateness, onset=Onset(at - 1, at),
    )  # fmt: skip


def mark(at: int, model: str = "m", stream: str = "predictions", *, lateness: int = LATENESS) -> Progress:
    return Progress(model=model, stream=stream, at=at, seen=at + lateness)


def arrivals(*messages: Message | None, first: int = 0, topic: str = "findings") -> list[Arrival]:
    return [Arrival(topic, 0, offset, message) for offset, message in enumerate(messages, start=first)]


def inbox(*pairs: tuple[str, str], **more: Any) -> EventInbox:
    made: dict[str, Any] = {"announced": pairs or [("m", "predictions")], "marks": {}, **more}
    return EventInbox({"findings": 0, "actions": 0}, **made)


def fed(box: EventInbox | LiveInbox, now: int = 0) -> list[tuple[int, Any]]:
    """(time, key of the finding or None) of everything that can be fed now."""
    found: list[tuple[int, Any]] = []
    while (one := box.first(now)) is not None:
        message = one.arrival.message if one.arrival else None
        found.append((one.now, getattr(message, "key", None)))
        now = max(now, one.now)
        box.drop_first()
    return found


def test_live_records_are_fed_as_they_come_at_the_present_time() -> None:
    box = LiveInbox({"findings": 7, "actions": 0})
    for one in arrivals(finding("b", 20), None, finding("a", 10), first=7):
        box.add(one)

    assert box.consumed() == {"findings": 7, "actions": 0}
    assert fed(box, now=99) == [(99, "b"), (99, None), (99, "a")]
    assert box.consumed() == {"findings": 10, "actions": 0}


def test_a_record_that_comes_again_is_left_out() -> None:
    for box in (LiveInbox({"findings": 0}), inbox()):
        for one in [*arrivals(finding("a", 10)), *arrivals(finding("a", 10), mark(10))]:
            box.add(one)
        assert [key for _, key in fed(box) if key] == ["a"]


def test_event_time_waits_for_every_announced_stream() -> None:
    box = inbox(("m", "predictions"), ("n", "predictions"))
    for one in arrivals(finding("a", 10), mark(10)):
        box.add(one)
    assert fed(box) == []

    for one in arrivals(mark(9, "n"), first=2):
        box.add(one)
    assert fed(box) == [(9 + LATENESS, None)], "time passes up to what both are judged to, and the finding is later"

    for one in arrivals(mark(12, "n"), first=3):
        box.add(one)
    assert fed(box) == [(10 + LATENESS, "a"), (10 + LATENESS, None)]


def test_a_stream_that_was_not_announced_counts_once_it_has_spoken() -> None:
    box = inbox()
    for one in arrivals(mark(3, stream="features"), mark(20), finding("a", 10)):
        box.add(one)

    assert [key for _, key in fed(box) if key] == []
    box.add(Arrival("findings", 0, 3, mark(10, stream="features")))
    assert [key for _, key in fed(box) if key] == ["a"]


def test_a_comparison_that_announces_itself_before_the_store_does_is_waited_for() -> None:
    box = inbox()
    for one in arrivals(mark(100), mark(7, stream="skew"), finding("store", 40), mark(100, stream="features")):
        box.add(one)
    assert fed(box) == [(7 + LATENESS, None)]
    for one in arrivals(finding("skew", 30), mark(119, stream="skew"), first=4):
        box.add(one)
    assert [key for _, key in fed(box)] == ["skew", "store", None]


def test_the_order_is_that_of_event_time_then_of_the_keys_whatever_came_first() -> None:
    found: list[Message] = [finding("b", 10), finding("a", 10), finding("c", 5), mark(10)]
    for order in itertools.permutations(found):
        box = inbox()
        for one in arrivals(*order):
            box.add(one)
        assert [key for _, key in fed(box) if key] == ["c", "a", "b"]


def test_passing_time_never_overtakes_a_finding_that_is_still_to_come() -> None:
    """Two models with different lateness: the present moves by the smaller one."""
    box = inbox(("m", "predictions"), ("n", "predictions"))
    for one in arrivals(mark(100, lateness=50), mark(100, "n", lateness=2)):
        box.add(one)
    assert fed(box) == [(102, None)]

    for one in arrivals(finding("a", 101, lateness=2), mark(101, lateness=50), mark(101, "n", lateness=2), first=2):
        box.add(one)
    assert fed(box, now=102)[0] == (103, "a")


def test_what_is_held_back_is_read_again_by_the_next_owner() -> None:
    box = inbox()
    for one in arrivals(finding("a", 10), finding("later", 90), mark(10), finding("b", 10)):
        box.add(one)
    assert [key for _, key in fed(box) if key] == ["a", "b"]
    assert box.consumed() == {"findings": 1, "actions": 0}

    again = EventInbox({"findings": 1, "actions": 0}, announced=[("m", "predictions")], marks=box.marks())
    assert fed(again) == [(10, None)], "the marks were stored, since they are not read again"
    for one in arrivals(finding("later", 90), mark(10), finding("b", 10), mark(90), first=1):
        again.add(one)
    assert [key for _, key in fed(again) if key] == ["b", "later"]
    assert again.consumed() == {"findings": 5, "actions": 0}


def test_an_action_is_fed_at_once_at_the_present_time() -> None:
    box = inbox()
    action = ExpireSilence(silence="s", by="ann", at=1)
    box.add(Arrival("actions", 0, 0, action))

    one = box.first(1234)
    assert one is not None
    assert (one.now, one.arrival) == (1234, Arrival("actions", 0, 0, action))
    assert box.consumed() == {"findings": 0, "actions": 0}
    box.drop_first()
    assert box.consumed() == {"findings": 0, "actions": 1}


def test_a_damaged_record_is_passed() -> None:
    box = inbox()
    box.add(Arrival("findings", 0, 0, None))
    assert (fed(box), box.consumed()["findings"]) == ([], 1)


def test_who_is_awaited_is_known_by_name() -> None:
    box = inbox(("m", "predictions"), ("n", "predictions"), ("n", "serving"))
    assert box.awaited() == frozenset(), "nothing is held back"
    for one in arrivals(finding("a", 10), mark(12), mark(9, "n")):
        box.add(one)
    assert (list(box.awaited()), box.judged()) == ([("n", "serving")], None)
    for one in arrivals(mark(8, "n", "serving"), first=3):
        box.add(one)
    assert (list(box.awaited()), box.judged()) == ([("n", "serving")], 8)
    for one in arrivals(mark(11, "n", "serving"), first=4):
        box.add(one)
    assert (list(box.awaited()), box.judged()) == ([("n", "predictions")], 9)
    for one in arrivals(mark(11, "n"), first=5):
        box.add(one)
    assert box.awaited() == frozenset(), "it can be fed"


def test_a_model_that_left_the_configuration_is_not_waited_for() -> None:
    box = inbox(("m", "predictions"), ("n", "predictions"))
    for one in arrivals(mark(3, "n"), finding("a", 10), mark(12)):
        box.add(one)
    assert fed(box) == [(3 + LATENESS, None)]
    box.announce([("m", "predictions")])
    for one in arrivals(mark(4, "n"), first=3):
        box.add(one)
    assert [key for _, key in fed(box)] == ["a", None]
