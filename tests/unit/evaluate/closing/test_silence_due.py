"""When a model's silence is looked at: at its own pace, and not while an emptied Redis is filled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from stream.evaluate.closing.silence import Listening, Silence
from stream.evaluate.closing.unit import Unit

MINUTE = 60_000


def unit(model: str, after_ms: int | None) -> Unit:
    watched = SimpleNamespace(monitor=SimpleNamespace(no_traffic_after_ms=after_ms))
    return cast(Unit, SimpleNamespace(model=model, phase=SimpleNamespace(watched=watched)))


def listening(**heard_ms: int) -> Listening:
    nothing: Any = None
    found = Listening(nothing, nothing, desk=nothing, asking=nothing)
    found._heard |= {model: Silence(5, looked, looked) for model, looked in heard_ms.items()}
    return found


UNITS = [unit("often", MINUTE), unit("seldom", 60 * MINUTE), unit("new", MINUTE)]


def due(found: Listening, now_ms: int, *, rebuilding: bool = False) -> list[str]:
    return [one.model for one in found.due(UNITS, now_ms=now_ms, rebuilding=rebuilding)]


def test_each_is_looked_at_four_times_in_its_silence_and_a_new_one_at_once() -> None:
    found = listening(often=0, seldom=0)
    assert due(found, MINUTE // 4 - 1) == ["new"]
    assert due(found, MINUTE // 4) == ["often", "new"]
    assert due(found, 15 * MINUTE) == ["often", "seldom", "new"]


def test_while_redis_is_filled_nobody_is_looked_at_and_all_silences_begin_anew() -> None:
    found = listening(often=0, seldom=0)
    assert due(found, MINUTE, rebuilding=True) == []
    assert due(found, 1) == ["often", "seldom", "new"]
