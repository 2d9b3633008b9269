"""From counts to a page while workers are killed: nothing is concluded twice or missed, and each fault rings once.

``kill -9`` at random moments while panes close, two workers, one of which owns the incidents.  What is left is compared with
numpy's own counts, and with what a worker concluded of the same events that nobody disturbed.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from schemas.findings import Finding
from schemas.reference import Reference
from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty
from stream.state.summary import summary_of
from tests.support.chaos import row
from tests.support.closed import closed_panes, judged_to, totals, unsent
from tests.support.command import driftline
from tests.support.faults import failing_panes, findings_on, records_with_fault, routed
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
from tests.support.observed import apply
from tests.support.worker import PARTITIONS, Deployment

pytestmark = [pytest.mark.chaos, pytest.mark.long]

PANES = 130
SPAN_MS = PANES * PANE_MS
END_MS = START_MS + SPAN_MS
ROWS = {"alpha": 26_000, "beta": 13_000}
#: By model, the first minute in which every request fails and the first in which none does.
DOWN = {"alpha": (30, 95), "beta": (60, 100)}
#: Nobody is rung for what is over by the time the owner hears of it, so events pause while both are down.
PAUSE_MS = START_MS + 88 * PANE_MS
#: Minutes whose closing is interrupted, before the pause and after it.
KILLS = (20, 55), (95, 110)
#: Less than the lateness of two minutes: out of order, and never late.
DISORDER_MS = PANE_MS
RATE = 2_500
#: While both are down events pause for longer, so every partition is idle when they return.
SETTINGS = {"session_timeout_s": "2", "in_doubt_s": "0.5", "idle_after_s": "1"}


@pytest.fixture(scope="module")
def events() -> dict[str, Events]:
    return {
        model: generate(model, rows, seed=70 + number, features=3, span_ms=SPAN_MS)
        for number, (model, rows) in enumerate(ROWS.items())
    }


@pytest.fixture(scope="module")
def references() -> dict[str, Reference]:
    return {model: reference_of(generate(model, 5_000, seed=80 + n, features=3)) for n, model in enumerate(ROWS)}


@pytest.fixture(scope="module")
def undisturbed(
    kafka_bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory,
    events: dict[str, Events], references: dict[str, Reference],
) -> dict[str, Finding]:  # fmt: skip
    """What one worker concludes of the events when nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    made = Deployment(kafka_bootstrap, redis_url, f"t{uuid.uuid4().hex[:10]}", folder)
    made.create_topics()
    prepare(made, references)
    made.start_worker(**SETTINGS)
    for records in in_two_parts(events):
        made.send(records)
    wait_until_judged(made)
    made.stop()
    return concluded(made)


@row("kill -9 at random while panes close", "the same findings as undisturbed, each fault rings once")
def test_killed_workers_conclude_what_an_undisturbed_one_does_and_each_fault_rings_once(
    deployment: Deployment, events: dict[str, Events], references: dict[str, Reference], undisturbed: dict[str, Finding]
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when the test fails
    with recording_pagerduty(folder=deployment.folder) as pager:
        prepare(deployment, references)

        def start() -> None:
            deployment.start_worker(pagerduty_url=pager.url, **SETTINGS)

        start()
        start()
        deployment.wait_until_shared(*deployment.workers)
        chance = random.Random(seed)
        for records, kills in zip(in_two_parts(events), KILLS, strict=True):
            with deployment.sending(records, rate=RATE):
                kill_now_and_then(deployment, chance, minutes=kills, start=start)
            deployment.wait_until(lambda: pager.vendor.rings == len(DOWN))
        wait_until_judged(deployment)
        deployment.wait_until(lambda: [one.closed for one in pager.vendor.incidents] == [True] * len(DOWN))

    for model, of in events.items():
        assert_closed_panes(deployment, model, of, references[model])
        assert_totals(totals(deployment, model), model, of)
    found = concluded(deployment)
    assert found == undisturbed
    assert {model: failing(found, model) for model in DOWN} == {
        model: failing_panes(of, **down(model), pane_ms=PANE_MS) for model, of in events.items()
    }
    assert_one_incident_a_fault(deployment, pager.vendor)


# -- the scene


def prepare(deployment: Deployment, references: Mapping[str, Reference]) -> None:
    """Put the models and a route to PagerDuty into force."""
    apply(deployment, routed(write_monitors(deployment.folder, references)))


def kill_now_and_then(
    deployment: Deployment, chance: random.Random, *, minutes: Iterable[int], start: Callable[[], None]
) -> None:
    """Kill a worker whenever so many minutes are closed, each time at another moment of a poll; a new one follows."""
    for minute in minutes:
        wait_until_closed(deployment, minute)
        time.sleep(chance.uniform(0.0, 0.6))
        chance.choice([worker for worker in deployment.workers if worker.alive]).kill()
        start()


def wait_until_closed(deployment: Deployment, minute: int) -> None:
    deployment.wait_until(lambda: judged_to(deployment, "alpha") >= START_MS + minute * PANE_MS, timeout_s=40)


def wait_until_judged(deployment: Deployment) -> None:
    """Close what is open, and wait until everything is judged and on Kafka."""
    deployment.send([json.dumps({"control": "watermark", "timestamp": END_MS}).encode()] * PARTITIONS)
    deployment.wait_until(lambda: all(judged_to(deployment, model) == END_MS for model in DOWN), timeout_s=40)
    deployment.wait_until(lambda: not any(unsent(deployment, model) for model in DOWN))


def in_two_parts(events: Mapping[str, Events]) -> tuple[list[bytes], list[bytes]]:
    """Everybody's records, each up to a minute late, until the pause and after it; the same each time."""
    records = [record for model, of in events.items() for record in records_with_fault(of, **down(model))]
    times = np.concatenate([of.times for of in events.values()])
    arrivals = times + np.random.default_rng(9).integers(0, DISORDER_MS, len(times))
    order = np.argsort(arrivals, kind="stable")
    first = [records[at] for at in order if arrivals[at] < PAUSE_MS]
    return first, [records[at] for at in order[len(first) :]]


def down(model: str) -> dict[str, int]:
    first, last = DOWN[model]
    return {"from_ms": START_MS + first * PANE_MS, "to_ms": START_MS + last * PANE_MS}


# -- what is left


def concluded(deployment: Deployment) -> dict[str, Finding]:
    """Every finding on the topic by its id; one that was sent again must say the same again, but for when it was decided."""
    found: dict[str, Finding] = {}
    for _, finding in findings_on(deployment):
        timeless = msgspec.structs.replace(finding, seen=0)
        assert found.setdefault(finding.id, timeless) == timeless
    return found


def failing(found: Mapping[str, Finding], model: str) -> list[int]:
    """Ends of the panes of which it was said that every request failed."""
    return sorted(
        f.at for f in found.values() if (f.model, f.rule, f.state, f.severity) == (model, "errors", "firing", "P0")
    )


def assert_closed_panes(deployment: Deployment, model: str, events: Events, reference: Reference) -> None:
    layout, panes = closed_panes(deployment, model)
    assert sorted(panes) == np.unique(events.times // PANE_MS * PANE_MS).tolist()
    for start, partial in panes.items():
        assert_counts(json.loads(json.dumps(summary_of(layout, partial))), expected(events, reference, pane=start))


def assert_totals(found: Mapping[str, int], model: str, events: Events) -> None:
    between = down(model)
    failed = int(((events.times >= between["from_ms"]) & (events.times < between["to_ms"])).sum())
    assert (found["events"], found["status:error"]) == (len(events), failed)
    for name, values in events.numbers.items():
        missing = int(np.isnan(values).sum())
        assert (found[f"feature:{name}:n"], found[f"feature:{name}:missing"]) == (len(events) - missing, missing)


def assert_one_incident_a_fault(deployment: Deployment, vendor: RecordingPagerDuty) -> None:
    listed: list[dict[str, Any]] = driftline("incident", "ls", "--all", "--json", env=deployment.variables).json[
        "incidents"
    ]
    paged = [one for one in listed if one["worst"] == "P0"]
    assert sorted(one["models"] for one in paged) == [[model] for model in sorted(DOWN)]
    assert (vendor.rings, vendor.open_keys(), vendor.lost) == (len(DOWN), [], [])
