"""The row of many models: ten thousand in force, every event counted, every model judged, and no assignment after the other."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
import redis

from tests.support import chaos_stored
from tests.support.chaos import Row, Scene, rows, same
from tests.support.chaos_events import PARTITIONS, Record, watermark
from tests.support.chaos_oracle import EVENTS, cells_of
from tests.support.generated import PANE_MS, START_MS, generate, reference_of
from tests.support.observed import apply, epochs, printed

pytestmark = pytest.mark.chaos

MODELS = [f"m{number:05}" for number in range(10_000)]
EACH = 2
REFERENCE = reference_of(generate("m", 2_000, seed=3, features=1))
#: On a busy machine; a minute on a calm one.
WITHIN_S = 400.0


def ten_thousand_models(scene: Scene) -> None:
    put_in_force(scene)
    worker = scene.deployment.start_worker(session_timeout_s="30")
    scene.deployment.wait_until(lambda: len(scene.deployment.owners()) == PARTITIONS, timeout_s=WITHIN_S)
    taken = epochs(scene.deployment)
    events = [event(model) for model in MODELS for _ in range(EACH)]
    random.Random(scene.seed).shuffle(events)
    scene.send([Record("predictions", at % PARTITIONS, value) for at, value in enumerate(events)])
    scene.send(watermark(START_MS + 5 * PANE_MS))
    scene.deployment.wait_until_stored(timeout_s=WITHIN_S)
    same(counted(scene), Counter(dict.fromkeys(MODELS, EACH)), "events by model")
    scene.deployment.wait_until(lambda: judged(scene) == len(MODELS), timeout_s=WITHIN_S)
    assert worker.alive
    assert epochs(scene.deployment) == taken, "a session was lost, and a partition taken anew"
    assert printed(worker, "Executing _on_partitions_assigned") <= 3  # it was 75, and no end


def put_in_force(scene: Scene) -> None:
    """All with one reference."""
    folder = scene.deployment.folder
    (folder / "one.json").write_bytes(REFERENCE.to_json())
    prediction = {"kind": "binary", "classes": ["no", "yes"], "positive": "yes", "threshold": 0.5}
    model = {"reference": "one.json", "prediction": prediction, "features": {"x0": {"type": "numeric"}}}
    defaults = {"pane": "1m", "windows": {"hour": "1h"}, "step": "1h", "lateness": "2m"}
    document = {"schema": 1, "defaults": defaults, "models": dict.fromkeys(MODELS, model)}
    (folder / "many.yaml").write_text(json.dumps(document))  # JSON is YAML, and is written without references
    apply(scene.deployment, folder / "many.yaml")


def event(model: str) -> bytes:
    found = {"model": model, "timestamp": START_MS + 1_000, "features": {"x0": 0.5}, "prediction": {"score": 0.5}}
    return json.dumps(found).encode()


def counted(scene: Scene) -> Counter[str]:
    """Events in the panes of all partitions, by model: of one shape, so one model's layout reads them all."""
    known = chaos_stored.layouts(*scene.redis, MODELS[0])
    [layout] = [of for (_, stream, _), of in known.items() if stream == "predictions"]
    found: Counter[str] = Counter()
    with redis.Redis.from_url(scene.redis[0]) as client:
        for key in client.scan_iter(match=f"driftline:{scene.redis[1]}:{{predictions:*:panes:*", count=10_000):
            for packed in client.hvals(key):
                pane = chaos_stored.unpacked(packed, cells_of(layout))
                found[key.decode().partition(":panes:")[2].split(":")[0]] += pane.cells[EVENTS]
    return found


def judged(scene: Scene) -> int:
    """Models whose first minute is closed."""
    with redis.Redis.from_url(scene.redis[0]) as client:
        pipe = client.pipeline(transaction=False)
        for model in MODELS:
            pipe.hget(scene.deployment.names.evaluation(model, "predictions"), "last")
        return sum(last is not None and int(last) > START_MS for last in pipe.execute())


@rows(
    Row(
        "10 000 models",
        ten_thousand_models,
        "every event counted, every model judged",
        long=True,
    )
)
def test_many_models(row: Row, scene: Scene) -> None:
    row.fault(scene)
