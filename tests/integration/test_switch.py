"""A monitors file applied under a running worker: the switch falls on a pane boundary, and no event is lost or mixed up."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import ConfigError
from tests.support.generated import (
    PANE_MS,
    START_MS,
    Events,
    assert_counts,
    expected,
    generate,
    reference_of,
    write_monitors,
)
from tests.support.observed import apply, counts, page, printed
from tests.support.worker import Deployment, Pace

MODEL = "alpha"
OLD = reference_of(generate(MODEL, 2_000, seed=1, features=2))
NEW = reference_of(generate(MODEL, 2_000, seed=8, features=2))
EVENTS = generate(MODEL, 6_000, seed=2, features=2)
RECORDS = list(EVENTS.records())
HALF = 3_000


@pytest.fixture
def deployment(deployment: Deployment) -> Deployment:
    """With the old reference in force."""
    apply(deployment, write_monitors(deployment.folder, {MODEL: OLD}))
    return deployment


def between(first_ms: int, end_ms: int) -> Events:
    """The events of these panes."""
    chosen = (EVENTS.times >= first_ms) & (end_ms > EVENTS.times)
    numbers = {name: values[chosen] for name, values in EVENTS.numbers.items()}
    return Events(MODEL, EVENTS.times[chosen], numbers, EVENTS.cities[chosen], EVENTS.scores[chosen])


def test_a_new_reference_counts_from_a_pane_boundary_on_and_is_never_summed_with_the_old(
    deployment: Deployment,
) -> None:
    worker = deployment.start_worker()
    deployment.send(RECORDS[:HALF])
    deployment.wait_until_stored()
    clock = int(EVENTS.times[HALF - 1])
    switch = clock - clock % PANE_MS + 2 * PANE_MS  # the first boundary a whole pane after what was counted
    assert apply(deployment, write_monitors(deployment.folder, {MODEL: NEW})) == 2
    deployment.wait_until(lambda: printed(worker, "following generation 2") == 1)
    deployment.send(RECORDS[HALF:])
    deployment.wait_until_stored()

    before = counts(deployment, MODEL, to_ms=switch)
    assert_counts(before, expected(between(0, switch), OLD))
    end = START_MS + 31 * PANE_MS
    after = counts(deployment, MODEL, from_ms=switch, to_ms=end)
    assert_counts(after, expected(between(switch, end), NEW))
    assert before["layout"] != after["layout"]
    whole = counts(deployment, MODEL)
    assert (whole["events"], whole["other_layouts"]) == (after["events"], {before["layout"]: before["events"]})
    assert "driftline_config_generation 2.0" in page(worker, "metrics")[1]


def test_events_in_flight_while_it_is_applied_are_all_counted_once(deployment: Deployment) -> None:
    worker = deployment.start_worker()
    deployment.send(RECORDS[:1_000])
    deployment.wait_until_stored()
    deployment.send(RECORDS[1_000:HALF], pace=Pace(10_000))
    apply(deployment, write_monitors(deployment.folder, {MODEL: NEW}))
    deployment.send(RECORDS[HALF:], pace=Pace(1_500))  # the worker switches somewhere among these
    deployment.wait_until_stored()

    assert printed(worker, "following generation 2") == 1
    whole = counts(deployment, MODEL)
    assert whole["events"] + sum(whole["other_layouts"].values()) == len(RECORDS)
    panes = [counts(deployment, MODEL, from_ms=at, to_ms=at + PANE_MS) for at in _pane_starts()]
    events = [pane["events"] + sum(pane["other_layouts"].values()) for pane in panes]
    assert events == np.bincount((EVENTS.times - START_MS) // PANE_MS).tolist()


def _pane_starts() -> range:
    return range(START_MS, START_MS + 30 * PANE_MS, PANE_MS)


def test_a_file_that_cannot_be_used_leaves_what_is_in_force(deployment: Deployment) -> None:
    worker = deployment.start_worker()
    deployment.send(RECORDS[:HALF])
    file = deployment.folder / "monitors.yaml"
    file.write_text(file.read_text().replace("lateness", "latenes"))
    with pytest.raises(ConfigError, match="latenes"):
        apply(deployment, file)
    deployment.send(RECORDS[HALF:])
    deployment.wait_until_stored()

    assert_counts(counts(deployment, MODEL), expected(EVENTS, OLD))
    assert printed(worker, "following generation") == 1
    assert "driftline_config_generation 1.0" in page(worker, "metrics")[1]
