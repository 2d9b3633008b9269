"""Where a release stands by its decisions alone, is where it stood: whatever windows and orders there were, and however told."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from msgspec.structs import replace

from schemas import releases
from schemas.actions import OrderRelease
from schemas.releases import Decision
from stream.evaluate.releases import memory
from stream.evaluate.releases.memory import FRESH_S, Memory, Remembered, remembered
from stream.evaluate.releases.naming import named
from stream.evaluate.releases.ordering import obeyed
from stream.evaluate.releases.state import NO_LOOK, Both, State
from tests.support.released import HOUR, monitor, running, shared, stepped, window


def kept(state: State) -> State:
    """What the decisions tell of a state: not what was counted since the last one, nor who held what is over."""
    state = replace(state, since_share=Both(), looks=NO_LOOK, doubtful=(), seen=())
    return state if state.runs else replace(state, order=None, order_why="")


def story(chance: Random) -> tuple[State, list[Decision]]:
    """A release of some hours, good or bad, held and resumed, until it is over or not."""
    state, told = named(State(model="m"), monitor(), at_ms=0)
    for hour in range(1, chance.randrange(2, 12)):
        share = state.share if chance.random() < 0.8 else 0.0
        arms = shared(share, errors=chance.choice((0, 0, round(3_000 * share))))
        state, further = stepped(state, [window(hour, arms)])
        told += further
        if state.runs and chance.random() < 0.3:
            order = OrderRelease(
                model="m", release=state.release, order=chance.choice(("hold", "resume", "roll_back")), by="ann", at=hour,
                comment="why",
            )  # fmt: skip
            state, decision, _ = obeyed(state, order, at_ms=hour * HOUR)
            told += [decision] if decision is not None else []
    return state, told


@pytest.mark.parametrize("seed", range(60))
def test_it_stands_where_it_stood_also_where_decisions_are_told_again(seed: int) -> None:
    chance = Random(seed)
    state, told = story(chance)
    first = chance.randrange(len(told))
    found = remembered([*told[: first + 1], *told[chance.randrange(first + 1) :], told[first]])
    assert found is not None
    assert (kept(found.state), found.at_ms) == (kept(state), told[-1].at)


def test_another_release_takes_its_place_and_the_one_before_never_comes_back() -> None:
    _, first = stepped(running(), [window(1, shared(0.05, errors=300))])
    begun = named(State(model="m"), monitor(), at_ms=0)[1]
    rolled_back, bad = [*begun, *first], replace(running(), phase="rolled_back")
    other, second = named(bad, monitor(challenger="5"), at_ms=9 * HOUR)
    found = remembered([*rolled_back, *second, *rolled_back])
    assert found is not None
    assert (kept(found.state), found.at_ms) == (kept(other), 9 * HOUR)


def test_what_the_file_named_no_more_may_be_named_again() -> None:
    state, told = named(State(model="m"), monitor(), at_ms=0)
    told += named(state, None, at_ms=HOUR)[1]
    found = remembered(told)
    assert found is not None
    assert found.state.phase == "none"
    again = named(found.state, monitor(), at_ms=5 * HOUR)[1]
    assert [one.decision for one in again] == ["begin"]
    begun = remembered([*told, *again, *told])
    assert begun is not None
    assert (begun.state.phase, begun.at_ms) == ("running", 5 * HOUR)


def test_what_the_file_swapped_stays_refused() -> None:
    state, told = named(State(model="m"), monitor(), at_ms=0)
    swapped = monitor(champion="4", challenger="5")
    told += named(state, swapped, at_ms=HOUR)[1]
    found = remembered(told)
    assert found is not None
    assert named(found.state, swapped, at_ms=2 * HOUR)[0].phase == "refused"


def test_nothing_is_remembered_of_a_model_that_nothing_was_told_of() -> None:
    assert remembered([]) is None


class Topic:
    """What is read of the topic, and how often."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *values: bytes, error: int | None = None) -> None:
        self.read, self.now, self.error = 0, 0.0, error
        self.values = list(values)
        monkeypatch.setattr(memory, "whole_topic", self.whole)
        self.memory = Memory({}, "releases", monotonic=lambda: self.now)

    def whole(self, options: Any, topic: str, *, within_s: float) -> list[tuple[bytes, bytes]]:
        self.read += 1
        if self.error is not None:
            raise KafkaException(KafkaError(self.error))
        return [(b"m", value) for value in self.values]


def test_one_reading_answers_all_who_ask_at_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = named(State(model="m"), monitor(), at_ms=0)[1]
    topic = Topic(monkeypatch, b"{", *map(releases.encode, begun))
    assert [topic.memory.recall(model) is not None for model in ("m", "n", "m")] == [True, False, True]
    topic.now += FRESH_S + 1
    assert isinstance(topic.memory.recall("m"), Remembered)
    assert topic.read == 2


def test_while_kafka_is_away_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch, error=KafkaError._TRANSPORT)
    asked: Callable[[str], Any] = topic.memory.recall
    for _ in range(2):
        with pytest.raises(KafkaException):
            asked("m")
    topic.error = KafkaError.TOPIC_AUTHORIZATION_FAILED  # a least-rights user of an older release of driftline
    assert asked("m") is None
