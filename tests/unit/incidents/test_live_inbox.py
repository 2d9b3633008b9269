"""The inbox of the present: what is urgent goes first, nothing of a model's time is passed over, and offsets stay exact."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.actions import ExpireSilence
from schemas.findings import Finding, Onset, Progress
from stream.incidents import live_inbox
from stream.incidents.inbox import Arrival, Message
from stream.incidents.live_inbox import LiveInbox, is_urgent


def finding(key: str, at: int, *, model: str = "m", **more: Any) -> Finding:
    fields: dict[str, Any] = {"severity": "P2", "kind": "drift", "state": "firing", "rev": (at, 0)} | more
    return Finding(
        key=key, model=model, rule="psi", subject=f"model:{model}", at=at, seen=at, onset=Onset(at - 1, at), **fields
    )


def mark(at: int, model: str = "m") -> Progress:
    return Progress(model=model, stream="predictions", at=at, seen=at)


def filled(*messages: Message | None) -> LiveInbox:
    box = LiveInbox({"findings": 0, "actions": 0})
    for offset, message in enumerate(messages):
        box.add(Arrival("findings", 0, offset, message))
    return box


def offsets(box: LiveInbox) -> list[tuple[int, int]]:
    """(offset, from where a new owner would read on) of everything, as it is fed."""
    fed: list[tuple[int, int]] = []
    while (one := box.first(0)) is not None:
        assert one.arrival is not None
        box.drop_first()
        fed.append((one.arrival.offset, box.consumed()["findings"]))
    return fed


def test_a_p0_goes_before_a_wide_models_findings_and_its_offset_waits_for_theirs() -> None:
    box = filled(finding("a", 9, model="wide"), finding("b", 9, model="wide"), finding("down", 5, severity="P0"))
    assert offsets(box) == [(2, 0), (0, 1), (1, 3)]


def test_it_goes_before_its_own_models_findings_of_the_same_pane() -> None:
    box = filled(finding("a", 5), finding("b", 5), mark(5), finding("down", 5, severity="P0"))
    assert [offset for offset, _ in offsets(box)] == [3, 0, 1, 2]


def test_what_its_model_was_judged_to_before_goes_with_it() -> None:
    """Or its time would pass over what still waits: an alarm that fired again would have ended by then."""
    box = filled(
        finding("a", 4), finding("b", 5), mark(4), finding("c", 5, model="n"), finding("down", 5, severity="P0")
    )
    assert [offset for offset, _ in offsets(box)] == [0, 2, 4, 1, 3]


def test_verdicts_of_one_key_keep_their_order() -> None:
    box = filled(finding("a", 5), finding("b", 5), finding("b", 5, severity="P0", rev=(5, 1)))
    assert [offset for offset, _ in offsets(box)] == [1, 2, 0]


def test_urgent_are_p0_the_class_serving_and_what_people_do() -> None:
    urgent: list[Message | None] = [
        finding("a", 1, severity="P0"),
        finding("a", 1, severity="P1", kind="error", state="ok"),
        finding("a", 1, kind="no_traffic"),
        ExpireSilence(silence="s", by="ann", at=1),
    ]
    others: list[Message | None] = [finding("a", 1, severity="P1"), mark(1), None]
    assert [is_urgent(Arrival("findings", 0, 0, one)) for one in (*urgent, *others)] == [True] * 4 + [False] * 3


def test_an_action_goes_first_and_each_topic_has_its_own_offsets() -> None:
    box = filled(finding("a", 5))
    box.add(Arrival("actions", 0, 0, ExpireSilence(silence="s", by="ann", at=1)))
    first = box.first(7)
    assert first is not None
    assert (first.now, first.arrival and first.arrival.topic, len(box)) == (7, "actions", 2)
    box.drop_first()
    assert (box.consumed(), len(box)) == ({"findings": 0, "actions": 1}, 1)


def test_a_storm_of_p0_fills_it_too_so_that_what_came_before_them_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fed out of turn is kept until all before it were: a million of them would be held, and read again."""
    monkeypatch.setattr(live_inbox, "MOST", 4)
    box = filled(finding("a", 5, model="n"), *(finding("down", at, severity="P0") for at in (5, 6)))
    box.drop_first()
    box.drop_first()
    assert (len(box), box.full) == (1, False)
    box.add(Arrival("findings", 0, 3, finding("down", 7, severity="P0")))
    box.drop_first()
    assert (len(box), box.full) == (1, True)
    assert offsets(box) == [(0, 4)]
    assert not box.full


MESSAGES = st.one_of(
    st.none(),
    st.builds(mark, st.integers(0, 5), st.sampled_from("mn")),
    st.builds(
        lambda key, at, model, severity: finding(f"{model}{key}", at, model=model, severity=severity),
        st.sampled_from("abc"), st.integers(0, 5), st.sampled_from("mn"), st.sampled_from(["P0", "P2", "P2"]),
    ),
)  # fmt: skip


@given(st.lists(MESSAGES, max_size=30), st.lists(st.integers(0, 4), max_size=30))
def test_each_is_fed_once_time_passes_over_nothing_and_offsets_name_what_is_still_needed(
    messages: list[Message | None], pauses: list[int]
) -> None:
    """``pauses``: how many are fed between two that come in."""
    box, fed, read = LiveInbox({"findings": 0}), list[int](), 0

    def feed(most: int) -> None:
        for _ in range(most):
            one = box.first(0)
            if one is None or one.arrival is None:
                return
            box.drop_first()
            fed.append(one.arrival.offset)
            missing = [offset for offset in range(read) if offset not in fed]
            assert box.consumed() == {"findings": min(missing, default=read)}
            assert len(box) == len(missing)
            check(one.arrival.message, [messages[offset] for offset in missing if offset < one.arrival.offset])

    for offset, message in enumerate(messages):
        box.add(Arrival("findings", 0, offset, message))
        box.add(Arrival("findings", 0, offset, message))
        read = offset + 1
        feed(pauses[offset] if offset < len(pauses) else 0)
    feed(len(messages))
    assert sorted(fed) == list(range(len(messages)))


def check(message: Message | None, passed: list[Message | None]) -> None:
    """What is fed before others that came earlier passes neither its model's time nor its key."""
    if isinstance(message, Finding) and message.severity == "P0":
        mine = [one for one in passed if isinstance(one, Finding | Progress) and one.model == message.model]
        assert all(one.at >= message.at for one in mine)
        assert all(one.key != message.key for one in mine if isinstance(one, Finding))
