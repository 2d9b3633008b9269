"""What a person orders of a release: obeyed once, told with who, when and why, or refused in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from schemas.actions import OrderRelease, ReleaseOrder, decode, encode
from schemas.releases import Decision, Ordered, Reason
from stream.evaluate.releases.naming import named
from stream.evaluate.releases.ordering import obeyed
from stream.evaluate.releases.state import State
from tests.support.released import HOUR, monitor, running, shared, stepped, told, window

NAME = "rel-aa42ec680d of model 'm' (3 \N{RIGHTWARDS ARROW} 4)"


def order(what: ReleaseOrder, **changed: Any) -> OrderRelease:
    made = OrderRelease(
        model="m", release=running().release, order=what, by="ann", at=77, comment="the other arm pages"
    )
    return replace(made, **changed)


def given(state: State, what: ReleaseOrder, *, hour: int = 1) -> tuple[State, Decision]:
    state, decision, answer = obeyed(state, order(what), at_ms=hour * HOUR)
    assert (answer.done, decision is not None) == (True, True)
    assert decision is not None
    return state, decision


def test_a_release_that_is_held_goes_no_further_until_it_is_resumed() -> None:
    held, decision = given(running(), "hold")
    assert told([decision]) == [(1, "hold", 0.05, ("held",))]
    assert decision.reasons == (Reason("held", "held by ann: the other arm pages"),)
    assert decision.evidence.order == Ordered("hold", "ann", 77, "the other arm pages")
    held, found = stepped(held, [window(hour, shared(0.05)) for hour in (2, 3)])
    assert (found, held.share, held.number) == ([], 0.05, 2)
    assert held.since_share.challenger.success.n == 1000, "it is judged on"
    again, decision = given(held, "resume", hour=3)
    assert told([decision]) == [(3, "resume", 0.05, ("resumed",))]
    assert (again.order, again.order_why) == (None, ""), "nothing is left of the hold"
    assert told(stepped(again, [window(4, shared(0.05))])[1]) == [(4, "promote", 0.10, ("healthy",))]


def test_a_bad_version_is_rolled_back_while_it_is_held() -> None:
    held, _ = given(running(), "hold")
    assert told(stepped(held, [window(2, shared(0.05, errors=200))])[1])[0][1] == "roll_back"


def test_a_release_that_is_rolled_back_stays_so() -> None:
    back, decision = given(given(running(), "hold")[0], "roll_back")
    assert told([decision]) == [(1, "roll_back", 0.0, ("ordered",))]
    assert (back.phase, back.share, back.why) == ("rolled_back", 0.0, "rolled back by ann: the other arm pages")
    assert stepped(back, [window(2, shared(0.05))]) == (back, [])
    assert named(back, monitor(), at_ms=2 * HOUR) == (back, [])


@pytest.mark.parametrize(
    ("state", "what", "said"),
    [
        (running(), "resume", f"{NAME} is held by nobody"),
        (given(running(), "hold")[0], "hold", f"{NAME} is held already by ann: the other arm pages"),
        (
            replace(running(), phase="rolled_back"),
            "roll_back",
            f"{NAME} was rolled back before: that is final until the monitors file names another challenger",
        ),
        (
            replace(running(), phase="complete"),
            "hold",
            f"{NAME} is complete: name another version in the monitors file",
        ),
        (State(model="m"), "hold", "rel-aa42ec680d of model 'm' has ended"),
        (named(running(), monitor(challenger="5"), at_ms=1)[0], "roll_back", "rel-aa42ec680d of model 'm' has ended"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(state: State, what: ReleaseOrder, said: str) -> None:
    after, decision, answer = obeyed(state, order(what), at_ms=HOUR)
    assert (after, decision, answer.done) == (state, None, False)
    assert answer.said == f"{said}; nothing was changed"


def test_an_order_of_no_release_is_none_of_a_model_without_one() -> None:
    refused = named(State(model="m"), monitor(challenger="3"), at_ms=1)[0]
    for state in (State(model="m"), refused):
        assert obeyed(state, order("hold", release=""), at_ms=HOUR).answer.said.startswith(" of model 'm' has ended;")


def test_an_order_of_more_words_than_a_decision_can_repeat_is_none() -> None:
    longest = {"by": "x" * 200, "comment": "x" * 500}
    assert decode(encode(order("hold", **longest))) == order("hold", **longest)
    for long in ({"by": "x" * 201}, {"comment": "x" * 501}, {"release": "x" * 201}, {"model": "x" * 201}):
        with pytest.raises(msgspec.ValidationError, match="Expected `str` of length <= "):
            decode(encode(order("hold", **long)))


def test_an_order_is_named_by_what_is_ordered_and_not_by_who_waits_for_the_answer() -> None:
    assert order("hold").id == order("hold", nonce="abc").id
    others = [
        order("resume"),
        order("hold", at=78),
        order("hold", by="bob"),
        order("hold", comment=""),
        order("hold", release="r"),
    ]
    assert len({one.id for one in (order("hold"), *others)}) == 6
