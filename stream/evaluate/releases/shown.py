"""A release as people read it in Redis: where it stands, what was decided last, and what its last window was like.  Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schemas import answers
from schemas.actions import OrderRelease
from schemas.answers import Answer
from schemas.releases import Decision, Evidence
from stream.evaluate.releases.state import State

Fields = Mapping[str, str | int]


def shown_state(state: State) -> Fields:
    """Where it stands."""
    return {
        "state": state.phase, "release": state.release, "champion": state.champion, "challenger": state.challenger,
        "share": f"{state.share:g}", "since": state.since, "begun": state.begun, "why": state.why,
        "holds": ",".join(state.told), "order": state.order or "",
    }  # fmt: skip


def shown_decision(decision: Decision) -> Fields:
    """What was decided, beside its document."""
    return {"decision": decision.decision, "decided": decision.at, "number": decision.number}


def shown_answer(order: OrderRelease, answer: Answer) -> Fields:
    """What became of the newest order: its giver waits for that."""
    return {"ordered": order.id, "answer": answers.encode(answer).decode()}


def shown_window(evidence: Evidence) -> Fields:
    """The last window that was judged, as JSON."""
    return {"window": msgspec.json.encode(evidence).decode()}
