"""Counts by pane are those of the rows, wherever chunks are cut and however rows are ordered."""

from collections import Counter

import numpy as np
import pytest

from detectors import pane_counts
from detectors.pane_counts import counts_of, pane_rows
from detectors.profile import build_reference, coded, panes_of


@pytest.mark.parametrize(("chunk", "held"), [(1, 0), (3, 2), (7, 1), (64, 1 << 22), (1 << 18, 0)])
def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, chunk: int, held: int) -> None:
    monkeypatch.setattr(pane_counts, "CHUNK", chunk)
    monkeypatch.setattr(pane_counts, "HELD", held)
    random = np.random.default_rng(chunk)
    pane, place = random.integers(0, 9, size=200) % 8, random.integers(0, 5, size=200)
    counts, rows = pane_rows(lambda part: place[part], pane, panes=9, width=6)

    cells = Counter(zip(pane.tolist(), place.tolist(), strict=True))
    assert rows == tuple(
        tuple(number for at in range(6) if cells[number_of, at] for number in (at, cells[number_of, at]))
        for number_of in range(9)
    )
    assert counts.tolist() == np.bincount(place, minlength=6).tolist()
    assert counts_of(lambda part: place[part], rows=200, width=6).tolist() == counts.tolist()


def test_the_hash_of_a_reference_does_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    values = np.where(random.random(500) < 0.3, 0.0, random.normal(size=500))
    values[::17], values[::23] = np.nan, np.inf
    names = coded(random.choice(["a", "b", "c"], size=500).tolist())
    panes = panes_of(random.integers(0, 90, size=500), pane_ms=7)

    def digest() -> str:
        return build_reference("m", {"x": values, "c": names}, panes=panes, score=values, outcomes=names).hash

    whole = digest()
    monkeypatch.setattr(pane_counts, "CHUNK", 13)
    assert digest() == whole
