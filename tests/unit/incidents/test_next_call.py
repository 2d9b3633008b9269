"""Which of an address' requests is made next, and when."""

from __future__ import annotations

from alerting.deliveries import Call, CallKind
from schemas.findings import Severity
from stream.incidents.senders import Lane, next_call


def call(kind: CallKind, severity: Severity, entry: str = "e") -> Call:
    return Call(entry, kind, 1, severity, "slack:#ml", "slack", f"{entry}:1", None, "because")


def order(*calls: Call) -> list[Call]:
    """The calls as they are made."""
    left, made = list(calls), []
    while left:
        at, one = next_call(Lane(calls=left), now=5.0, held_s=lambda _: 0.0)
        assert at == 5.0
        left.remove(one)
        made.append(one)
    return made


def test_p0_goes_first_then_what_opens_then_what_closes_and_the_worse_before_the_better() -> None:
    wanted = [
        call("open", "P0", "b"), call("close", "P0", "a"), call("update", "P0"),
        call("open", "P1", "b"), call("open", "P2", "a"), call("open", "P2", "b"),
        call("close", "P1"), call("note", "P1"), call("update", "P1"), call("digest", "P3"),
    ]  # fmt: skip
    assert order(*wanted) == order(*reversed(wanted)) == wanted


def test_the_share_of_the_budget_that_others_wait_for_does_not_keep_a_p0() -> None:
    lane = Lane(others_at=8.0, calls=[call("open", "P1")])
    assert next_call(lane, now=5.0, held_s=lambda _: 0.0) == (8.0, call("open", "P1"))
    lane.calls.append(call("open", "P0", "down"))
    assert next_call(lane, now=5.0, held_s=lambda _: 0.0) == (5.0, call("open", "P0", "down"))


def test_what_may_still_arrive_from_the_owner_before_keeps_nothing_else() -> None:
    doubtful, sure = call("open", "P1", "doubtful"), call("update", "P3", "sure")
    lane = Lane(calls=[doubtful])
    held = {"doubtful": 30.0}
    assert next_call(lane, now=5.0, held_s=lambda one: held.get(one.entry, 0.0)) == (35.0, doubtful)
    lane.calls.append(sure)
    assert next_call(lane, now=6.0, held_s=lambda one: held.get(one.entry, 0.0)) == (6.0, sure)


def test_an_address_that_failed_is_asked_nothing_before_its_pause_is_over() -> None:
    lane = Lane(free_at=9.0, calls=[call("open", "P0")])
    assert next_call(lane, now=5.0, held_s=lambda _: 0.0) == (9.0, call("open", "P0"))
