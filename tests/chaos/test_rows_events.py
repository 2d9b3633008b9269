"""Rows of events: poison, disorder, silence and storms, configurations that change under way, and bytes changed at random."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from os import environ

import pytest
import yaml

from stream.local.receivers.pagerduty import recording_pagerduty
from tests.support import chaos_stored
from tests.support.bad_events import REFUSED
from tests.support.chaos import REFERENCES, Row, Scene, put_in_force, rows, same
from tests.support.chaos_events import PARTITIONS, watermark
from tests.support.chaos_fuzz import FUZZED, fuzz
from tests.support.command import driftline
from tests.support.generated import PANE_MS, START_MS, generate, reference_of
from tests.support.observed import dead_letters, printed

pytestmark = pytest.mark.chaos

END_MS = START_MS + 30 * PANE_MS
HOUR_MS = 60 * PANE_MS
#: No request fails.
NEVER = (0, 0)


def poison(scene: Scene) -> None:
    """As fast as the broker takes it, two workers."""
    records = scene.traffic().records(12_000)
    assert {record.refused for record in records} >= {bad.reason for bad in REFUSED}
    scene.start(2)
    scene.send(records)


def disorder(scene: Scene) -> None:
    """One bundle of five is late, too late, or from the future, and one of five comes twice; a worker is killed among them."""
    records = scene.traffic(odd_every=5).records(8_000)
    [killed, _] = scene.start(2)
    with scene.sending(records, rate=1_500):
        scene.wait_for(0.3, records)
        killed.kill()


def storm_after_silence(scene: Scene) -> None:
    """An hour without events, by the clock of events, and too long for the model by the wall's; then 50 000 at once.

    The silence is one incident, of which somebody is rung once, and which the storm ends.
    """
    put_in_force(scene.deployment, no_traffic_after="15s")
    with recording_pagerduty(folder=scene.deployment.folder) as pager:
        scene.start(pagerduty_url=pager.url)
        scene.send(scene.traffic(span_ms=5 * PANE_MS, down=NEVER).records(1_000))
        scene.deployment.wait_until(lambda: pager.vendor.rings == 1)
        scene.seed += 1
        storm = scene.traffic(begin_ms=START_MS + 2 * HOUR_MS, span_ms=PANE_MS, down=NEVER).records(15_000)
        assert sum(len(record.events) for record in storm) > 45_000
        scene.send(storm)
        scene.close(START_MS + 3 * HOUR_MS)
        scene.deployment.wait_until(lambda: not pager.vendor.open_keys())
        put_in_force(scene.deployment)  # or it is silent again after the storm
        assert (pager.vendor.rings, pager.vendor.lost) == (1, [])
    assert silences(scene) == [("ended", "recovered")]


def silences(scene: Scene) -> list[tuple[str, str]]:
    """Incidents of a model without traffic: state, and why it ended."""
    told = driftline("incident", "ls", "--all", "--json", env=scene.deployment.variables).json["incidents"]
    return [(one["state"], one["end_reason"]) for one in told if "no traffic" in one["title"]]


@rows(
    Row("poison of every kind 1:100", poison, "good events exact, each bad one a dead letter", long=True),
    Row("duplicate, out of order, late, future", disorder, "exact by pane; refused by reason", long=True),
    Row("50 000 events after an hour of silence", storm_after_silence, "exact; one silence told, and ended", long=True),
)
def test_events_are_counted_through(row: Row, scene: Scene) -> None:
    row.fault(scene)
    scene.close(END_MS)
    scene.assert_exact()
    assert all(worker.alive for worker in scene.living())
    assert not any(printed(worker, "Traceback") for worker in scene.deployment.workers)


def applied_again(scene: Scene) -> None:
    """A valid file changes the reference of a model at the boundary of a pane; a broken one after it changes nothing.

    At most twenty times as fast as in life: the boundary is a pane ahead of what was stored, and workers follow within seconds.
    """
    records = scene.traffic(span_ms=6 * PANE_MS).records(9_000)
    workers = scene.start(2)
    with scene.sending(records, rate=300):
        scene.wait_for(0.3, records)
        other = reference_of(generate("alpha", 4_000, seed=99, features=3))
        put_in_force(scene.deployment, references=REFERENCES | {"alpha": other})
        assert apply_broken(scene) == 2
        scene.deployment.wait_until(lambda: all(printed(worker, "following generation 2") for worker in workers))


def apply_broken(scene: Scene) -> int:
    file = scene.deployment.folder / "broken.yaml"
    document = yaml.safe_load((scene.deployment.folder / "monitors.yaml").read_text())
    document["models"]["alpha"]["features"]["x0"]["type"] = "numerical"
    file.write_text(yaml.safe_dump(document))
    command = [sys.executable, "-m", "stream.command.main", "apply", str(file)]
    done = subprocess.run(command, env={**environ, **scene.deployment.variables}, capture_output=True, timeout=60)
    assert b"broken.yaml:" in done.stderr
    return done.returncode


@rows(Row("applied again under way, valid and broken", applied_again, "exact, before and after by pane", long=True))
def test_no_event_is_lost_between_two_configurations(row: Row, scene: Scene) -> None:
    row.fault(scene)
    scene.close(END_MS)
    scene.assert_exact()


def fuzz_short(scene: Scene) -> None:
    fuzzed(scene, 20_000)


def fuzz_long(scene: Scene) -> None:
    fuzzed(scene, 1_000_000)


def fuzzed(scene: Scene, count: int) -> None:
    reference = reference_of(generate(FUZZED, 4_000, seed=31, features=3))
    put_in_force(scene.deployment, references=REFERENCES | {FUZZED: reference})
    workers = scene.start(2)
    records = list(fuzz(count, seed=scene.seed))
    scene.send([*records, *watermark(END_MS)])
    scene.deployment.wait_until_stored(timeout_s=900)
    assert all(worker.alive for worker in workers)
    assert sum(len(worker.log.read_bytes()) for worker in workers) < 100_000

    scene.sent = [record for record in records if record.events] + watermark(END_MS)
    refused = chaos_stored.refused(*scene.redis, "predictions", partitions=PARTITIONS)
    counted = events_of(scene, FUZZED)
    same(Counter(sent=counted + refused.total()), Counter(sent=count), "of the fuzzed, counted and refused")
    assert min(counted, refused.total()) > count // 10
    assert len(dead_letters(scene.deployment)) == refused.total() or count > 100_000  # or half a million to read back


def events_of(scene: Scene, model: str) -> int:
    known = chaos_stored.layouts(*scene.redis, model)
    panes = chaos_stored.panes(*scene.redis, known)
    own = [key for key in panes if key[2] == model]
    return sum(pane.cells[1] for key in own for pane in panes[key].values())


@rows(
    Row("fuzz: 20 000 mutated events", fuzz_short, "good events exact; good + refused = sent"),
    Row("fuzz: a million mutated events", fuzz_long, "good events exact; good + refused = sent", long=True),
)
def test_bytes_changed_at_random_hurt_nobody_else(row: Row, scene: Scene) -> None:
    row.fault(scene)
    scene.assert_counts()
