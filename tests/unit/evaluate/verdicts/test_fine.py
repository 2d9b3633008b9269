"""Keys that are all fine are told in one verdict, and come to what a verdict of each would."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from schemas.findings import Finding
from stream.evaluate.charts.charts import Charts
from stream.evaluate.charts.freshness import freshness_verdicts
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from stream.evaluate.verdicts.standing import Standing, conclude
from stream.evaluate.verdicts.verdict import Fine, Quiet, Verdict
from tests.support.judged import HOUR, counted, monitor, watched

State = Literal["ok", "firing", "no_data"]
#: When it is judged, at which revision, and what is said of each of two keys.
Judgement = tuple[int, int, tuple[State, State]]
OF = watched()
STATES: st.SearchStrategy[State] = st.sampled_from(["ok", "ok", "firing", "no_data"])
HISTORY = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2), st.tuples(STATES, STATES)), max_size=12)


def verdict(name: str, state: State, *, at: int) -> Verdict:
    return Verdict(
        rule="freshness", kind="stale", subject=f"feature:m/{name}", state=state, severity="P2",
        start_ms=(at - 1) * HOUR, memory=HOUR, every=HOUR,
    )  # fmt: skip


def said(at: int, states: Sequence[State]) -> list[Verdict | Quiet]:
    whole = [verdict(name, state, at=at) for name, state in zip(("temp", "dest"), states, strict=True)]
    return [one if one.state == "firing" else Quiet(one.key, one.state, one.start_ms, lambda o=one: o) for one in whole]  # type: ignore[misc]


def at_once(at: int, states: Sequence[State]) -> list[Verdict | Quiet | Fine]:
    if set(states) != {"ok"}:
        return [*said(at, states)]
    names = {verdict(name, "ok", at=at).key: name for name in ("temp", "dest")}
    return [Fine(tuple(names), (at - 1) * HOUR, lambda key: verdict(names[key], "ok", at=at))]


@given(HISTORY)
def test_it_stands_and_is_news_as_if_each_were_told(history: list[Judgement]) -> None:
    one, other = Standing(), Standing()
    for at, revision, states in history:
        decide = partial(conclude, at_ms=at * HOUR, revision=revision, seen_ms=0, watched=OF)
        found: list[Finding]
        wanted: list[Finding]
        found, one = decide(at_once(at, states), one)
        wanted, other = decide(said(at, states), other)
        assert (found, one.keys) == (wanted, other.keys)


def test_fresh_features_are_fine_and_say_what_each_says_beside_a_stale_one() -> None:
    """With one more promise, of a column that never comes, each is told by itself."""
    features = monitor().features
    promised = {name: features[name].model_copy(update={"freshness_sla_ms": HOUR}) for name in features}
    two = watched(monitor(features={**promised, "tail": features["tail"]}))
    three = watched(monitor(features=promised))
    charts = Charts()
    for hour in range(3):
        pane = Pane(hour * HOUR, (hour + 1) * HOUR, counted(two.layout, {"temp": [1.0], "dest": ["a"]}))
        charts = judge_pane(two, pane, charts).charts
    (fine,) = freshness_verdicts(two, charts, start_ms=2 * HOUR)
    alone = [one for one in freshness_verdicts(three, charts, start_ms=2 * HOUR) if isinstance(one, Quiet)]
    assert isinstance(fine, Fine)
    told = [(one.key, one.state, one.start_ms, one.whole()) for one in fine.each()]
    assert told == [(one.key, one.state, one.start_ms, one.whole()) for one in alone]
    assert [whole.feature for _, _, _, whole in told] == ["temp", "dest"]
