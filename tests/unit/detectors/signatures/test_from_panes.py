"""What panes hold is what a signature needs: values counted as ingest counts them, read back from the cells of a pane."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.moments import STEPS
from detectors.signatures.signature import signature
from schemas.reference import NumericProfile
from stream.evaluate.causes.signatures import window_in
from stream.ingest.arena import Arena
from stream.ingest.counting import Rows, count
from stream.ingest.matrices import matrix
from stream.ingest.shape import shape_of
from stream.ingest.tables import stream_tables
from stream.state.layout import Layout, NumericColumn
from stream.state.packing import Partial, empty
from tests.support.caused import DISTRIBUTIONS, Floats, reference, window_of


def pane(profile: NumericProfile, values: Floats) -> tuple[Layout, Partial]:
    """The values as predictions of one pane, counted."""
    ends = profile.minimum or 0.0, profile.maximum or 0.0
    column = NumericColumn("x", "features.x", profile.edges, profile.center, profile.scale, *ends, detailed=True)
    layout = Layout("m", "predictions", 1_000, (column,), ())
    tables, arena, zeros = stream_tables([(layout, shape_of([layout]))]), Arena(), np.zeros(len(values), np.int64)
    room = arena.allocate(layout, empty(layout.cells, 1))
    numbers = matrix([(value,) for value in values.tolist()], 1), matrix([()] * len(values), 0)
    rows = Rows(zeros, zeros + room.cells, zeros + room.sums, *numbers, zeros[:, None][:, :0], zeros > 0)
    count(rows, arena, order=np.arange(len(rows.layout)), narrow=tables.narrow, wide=tables.wide)
    return layout, arena.read(room, revision=0)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1.8, 32.0), (100.0, 0.0), (-1.0, 3.0)])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_pane_holds_the_window(name: str, scale: float, shift: float) -> None:
    profile = reference(name, 1)[1]
    values = scale * DISTRIBUTIONS[name](np.random.default_rng(2), 400) + shift
    read, ours = window_in(*pane(profile, values), 0), window_of(values, profile)
    for field in ("counts", "outside", "buckets"):
        assert np.array_equal(getattr(read, field), getattr(ours, field)), field
    assert (read.minimum, read.maximum, read.sd) == (ours.minimum, ours.maximum, ours.sd)


def test_a_cause_found_in_the_sum_of_two_panes() -> None:
    profile = reference("normal", 1)[1]
    values = 1.8 * DISTRIBUTIONS["normal"](np.random.default_rng(2), 1_000) + 32.0
    (layout, first), (_, second) = (pane(profile, part) for part in (values[:300], values[300:]))
    found = signature(profile, window_in(layout, first + second, 0))
    assert found is not None
    assert (found.parameters, found.n) == ({"unit": "degC->degF"}, 1_000)


def test_the_moments_of_a_pane_are_steps_of_the_references_sd() -> None:
    profile = reference("normal", 1)[1]
    values = np.array([profile.center, profile.center + 2.0 * profile.scale])
    read = window_in(*pane(profile, values), 0)
    assert read.sd == pytest.approx(profile.scale, abs=profile.scale / STEPS)
