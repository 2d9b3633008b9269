"""Where releases stand by what was told of them, for a Redis that was emptied: the topic ``releases`` keeps every decision.

So a challenger that was rolled back stays so, one that is on its way goes on from its share, a person's hold holds, and nobody is
told anew what was decided.  What was seen since the last decision is not kept there: it is gathered again from then on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import KafkaError, KafkaException

from schemas import releases
from schemas.releases import Decision
from stream.evaluate.columns.watched import Watched
from stream.evaluate.releases.state import State
from stream.evaluate.releases.telling import verdict_of
from stream.evaluate.verdicts.standing import Standing, conclude
from stream.state.whole_topic import whole_topic

log = logging.getLogger(__name__)

_WITHIN_S = 10.0
#: Models of a Redis that was emptied ask one after the other: they are answered by one reading.
FRESH_S = 10.0
_REFUSED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})
_PHASES = {"roll_back": "rolled_back", "complete": "complete"}


class Remembered(NamedTuple):
    """A release after the last decision on it, and when that was."""

    state: State
    at_ms: int


def remembered(decisions: Iterable[Decision]) -> Remembered | None:
    """Where a model's release stands after these, in the order told; None where none was told.

    A decision may be told again, after newer ones too: it changes nothing.
    """
    found: Remembered | None = None
    over: set[str] = set()
    for one in decisions:
        state = found.state if found is not None else State(model=one.model)
        if one.release != state.release and one.release not in over:
            over.add(state.release)
            state = _begun(one)
        if one.release == state.release and one.number > state.number:
            found = Remembered(_after(state, one), one.at)
    return found


def _begun(first: Decision) -> State:
    return State(
        model=first.model, release=first.release, champion=first.champion, challenger=first.challenger, begun=first.at,
        phase="running",
    )  # fmt: skip


def _after(state: State, one: Decision) -> State:
    codes = tuple(reason.code for reason in one.reasons)
    if "removed" in codes:
        return State(model=one.model, release=one.release, number=one.number)
    changed = one.share != state.share or one.decision == "begin"
    answered = [(one.champion, one.evidence.champion_requests), (one.challenger, one.evidence.requests)]
    return msgspec.structs.replace(
        state,
        phase=_PHASES.get(one.decision, "running"),
        share=one.share,
        since=one.at if changed else state.since,
        number=one.number,
        told=codes if one.decision == "hold" else (),
        seen=tuple(sorted({*state.seen, *(version for version, requests in answered if requests)})),
        why="; ".join(reason.text for reason in one.reasons) if one.decision == "roll_back" else "",
        **_ordered(state, one, held="held" in codes),
    )


def _ordered(state: State, one: Decision, *, held: bool) -> Mapping[str, Any]:
    """Whether a person holds it: said by every decision while it lasts."""
    if not held:
        return {"order": None, "order_why": ""}
    order = one.evidence.order
    return {"order": "hold", "order_why": f"{order.by}: {order.comment}" if order is not None else state.order_why}


def standing_of(state: State, watched: Watched, *, at_ms: int) -> Standing:
    """What stands by that: it was told, so it is not told now; that it is over will be."""
    said = [verdict_of(state, watched, at_ms=at_ms)]
    return conclude(said, Standing(), at_ms=at_ms, revision=0, seen_ms=at_ms, watched=watched)[1]


@dataclass(eq=False, slots=True)
class Memory:
    """Reads the topic; every call may block.

    :param options: what clients of Kafka are made with.
    """

    options: Mapping[str, Any]
    topic: str
    monotonic: Callable[[], float] = time.monotonic
    _known: Mapping[str, Remembered] = field(default_factory=dict)
    _read_at: float = float("-inf")

    def recall(self, model: str) -> Remembered | None:
        """Where a model's release stands; None where nothing was ever told of one.

        :raises KafkaException: Kafka does not answer: nothing may be begun anew before it does.
        """
        if self.monotonic() > self._read_at + FRESH_S:
            self._known, self._read_at = self._all(), self.monotonic()
        return self._known.get(model)

    def _all(self) -> dict[str, Remembered]:
        told: dict[str, list[Decision]] = {}
        try:
            for _, value in whole_topic(self.options, self.topic, within_s=_WITHIN_S) or ():
                if value and (one := _decision(value)) is not None:
                    told.setdefault(one.model, []).append(one)
        except KafkaException as error:
            if error.args[0].code() not in _REFUSED:
                raise
            log.error("topic %s may not be read, so releases begin anew where Redis was emptied: %s", self.topic, error)
            return {}
        found = {model: remembered(decisions) for model, decisions in told.items()}
        return {model: one for model, one in found.items() if one is not None}


def _decision(value: bytes) -> Decision | None:
    try:
        return releases.decode(value)
    except msgspec.DecodeError as error:
        log.error("topic releases: a decision is damaged and left out: %s", error)
        return None
