"""What a person orders of a release: hold it, let it go on, or roll it back; or why nothing becomes of the order.  Pure.

An order names the release that its giver saw, so it is never obeyed by another one.  It is obeyed at once, at the end of the window
that was judged last: no window that is judged later goes by what stood before.  The decision tells who ordered it, when, and why.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from schemas.actions import OrderRelease
from schemas.answers import Answer
from schemas.releases import Code, Decision, Evidence, Kind, Ordered, Reason
from stream.evaluate.releases.state import State, decided

_DONE = {
    "hold": "is held at {share:.0%} of the requests: it is judged on, and goes no further",
    "resume": "goes on from {share:.0%} of the requests, as its health windows say",
    "roll_back": "is rolled back: no request goes to the challenger any more",
}
_OVER = {
    "rolled_back": "was rolled back before: that is final until the monitors file names another challenger",
    "complete": "is complete: name another version in the monitors file",
}


class Obeyed(NamedTuple):
    """What stands after an order, what is decided by it, and what its giver is told."""

    state: State
    decision: Decision | None
    answer: Answer


def obeyed(state: State, order: OrderRelease, *, at_ms: int) -> Obeyed:
    """After an order that was not obeyed before."""
    if refused := _refusal(state, order):
        return Obeyed(state, None, Answer(False, f"{refused}; nothing was changed"))
    kind, code = _KINDS[order.order]
    why = f"{order.by}: {order.comment}"
    held = order.order == "hold"
    before = msgspec.structs.replace(state, order="hold" if held else None, order_why=why if held else "")
    after, decision = decided(
        before,
        kind,
        0.0 if kind == "roll_back" else state.share,
        at_ms=at_ms,
        reasons=(Reason(code, f"{_SAID[order.order]} {why}"),),
        evidence=Evidence(order=Ordered(order.order, order.by, order.at, order.comment)),
    )
    said = _DONE[order.order].format(share=state.share)
    return Obeyed(after, decision, Answer(True, f"{_named(state)} {said}"))


_KINDS: dict[str, tuple[Kind, Code]] = {
    "hold": ("hold", "held"), "resume": ("resume", "resumed"), "roll_back": ("roll_back", "ordered"),
}  # fmt: skip
_SAID = {"hold": "held by", "resume": "resumed by", "roll_back": "rolled back by"}


def _refusal(state: State, order: OrderRelease) -> str:
    if state.release != order.release or state.phase in ("none", "refused"):
        return f"{order.release} of model {order.model!r} has ended"
    if not state.runs:
        return f"{_named(state)} {_OVER[state.phase]}"
    if order.order == "hold" and state.order == "hold":
        return f"{_named(state)} is held already by {state.order_why}"
    if order.order == "resume" and state.order is None:
        return f"{_named(state)} is held by nobody"
    return ""


def _named(state: State) -> str:
    return f"{state.release} of model {state.model!r} ({state.champion} \N{RIGHTWARDS ARROW} {state.challenger})"
