"""Who is told what of a release: findings of one that was rolled back, and answers to whoever ordered something."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.actions import OrderRelease, ReleaseOrder
from schemas.answers import decode
from stream.evaluate.releases.telling import verdict_of
from stream.evaluate.releases.unit import REMEMBERED
from stream.evaluate.verdicts.verdict import Verdict
from tests.support.judged import HOUR, monitor, watched
from tests.support.released import running, told
from tests.support.released_dry import Dry, begun, phases
from tests.support.released_live import RELEASE

OF = watched(monitor(owner="ml"))
OTHER = RELEASE.model_copy(update={"challenger": "5"})


def order(found: Dry, what: ReleaseOrder, *, at: int = 77) -> OrderRelease:
    """What the incident owner passed on."""
    release = found.release.state.release
    made = OrderRelease(model="m", release=release, order=what, by="ann", at=at, comment="why")
    found.release.order = made
    return made


def test_the_verdict_on_one_that_was_rolled_back_is_for_the_models_owner_and_fires_from_then_on() -> None:
    back = replace(running(), phase="rolled_back", share=0.0, since=3 * HOUR, why="errors")
    found = verdict_of(back, OF, at_ms=5 * HOUR)
    assert found == Verdict(
        rule="release", kind="release", subject="model:m", state="firing", severity="P2", start_ms=3 * HOUR, memory=0,
        owner="ml", evidence=found.evidence,
    )  # fmt: skip
    assert found.evidence == {
        "release": back.release, "champion": "3", "challenger": "4", "why": "errors", "cause": "version '4': errors",
    }  # fmt: skip
    for phase in ("none", "running", "complete", "refused"):
        fine = verdict_of(replace(back, phase=phase), OF, at_ms=5 * HOUR)
        assert (fine.state, fine.start_ms) == ("ok", 5 * HOUR)


def test_it_is_found_once_and_since_the_release_began() -> None:
    found = begun()
    found.routed(0.05)
    found.routed(0.10, errors=0.5)
    found.turn()
    found.routed(0.0, hours=3)
    found.turn()
    (one,) = found.found
    assert told(found.told)[-1][:2] == (3, "roll_back")
    assert (one.state, one.rev, one.severity, one.owner) == ("firing", (3 * HOUR, 0), "P2", "ml")
    assert (one.onset.lo, one.onset.hi, found.tally.findings) == (HOUR, 3 * HOUR, 1)


def test_one_that_is_bad_where_another_file_begins_is_found_and_over_at_once() -> None:
    found = begun(phases=phases(RELEASE, OTHER, until=2))
    found.routed(0.05, errors=0.5)
    found.turn()
    assert [one[:2] for one in told(found.told)[1:]] == [(2, "roll_back"), (2, "begin")]
    assert [(one.state, one.rev) for one in found.found] == [("firing", (2 * HOUR, 0)), ("ok", (2 * HOUR, 1))]


def test_an_order_that_ends_it_is_found_and_one_that_holds_it_is_not() -> None:
    found = begun()
    found.routed(0.05, errors=0.0)
    found.turn()
    orders: tuple[ReleaseOrder, ...] = ("hold", "roll_back")
    for what in orders:
        ordered = order(found, what)
        (ruled,) = found.turn().decisions
        assert (ruled.fields["ordered"], found.shown["ordered"]) == (ordered.id, ordered.id)
    (one,) = found.found
    assert (one.state, one.evidence["why"], one.onset.lo) == ("firing", "rolled back by ann: why", HOUR)


def test_an_order_is_answered_once_and_of_those_that_came_the_last_are_known_again() -> None:
    found = begun()
    order(found, "resume")
    found.turn()
    answer = decode(found.shown["answer"].encode())
    assert (answer.done, answer.said.endswith("is held by nobody; nothing was changed")) == (False, True)
    taken = [order(found, "hold", at=at).id for at in range(REMEMBERED + 5) if found.turn()]
    assert len(taken) == REMEMBERED + 5
    found.turn()
    assert found.release.ordered == tuple(taken[-REMEMBERED:])
    found.shown.clear()
    order(found, "hold", at=REMEMBERED)
    found.turn()
    assert "answer" not in found.shown
