"""From events on both topics, through a real worker, to an incident: a feature that is served otherwise than its store says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from stream.evaluate.own_topics import ensure_topics
from tests.support.command import driftline
from tests.support.models import reference
from tests.support.worker import PARTITIONS, Deployment

MINUTE = 60_000
MONITORS = """\
schema: 1
defaults: {pane: 1m, windows: {short: 2m}, step: 1m, lateness: 0s}
models:
  m:
    reference: m.json
    skew: 0.2
    features:
      temp: {type: numeric, fixed: {psi: 99}}
"""


def minutes(began: int, *, feature: float, stream: str) -> Iterator[bytes]:
    """Three minutes of 120 values, and the watermark at their end."""
    for at in range(360):
        event = {"timestamp": began + at * 500, "model": "m", "features": {"temp": feature + at % 3}}
        if stream == "features":
            event = {
                "timestamp": began + at * 500,
                "feature": "temp",
                "source": "weather",
                "values": [feature + at % 3],
            }
        yield json.dumps(event).encode()
    for _ in range(PARTITIONS):
        yield json.dumps({"control": "watermark", "timestamp": began + 3 * MINUTE}).encode()


def test_a_feature_served_in_another_unit_than_the_store_has_is_an_incident_that_names_it(
    deployment: Deployment,
) -> None:
    began = (time.time_ns() // 1_000_000 // MINUTE - 4) * MINUTE
    (deployment.folder / "m.json").write_bytes(reference().to_json())
    (deployment.folder / "monitors.yaml").write_text(MONITORS)
    applied = driftline("apply", str(deployment.folder / "monitors.yaml"), env=deployment.variables)
    assert applied.code == 0, applied
    ensure_topics(deployment.kafka, deployment.names)
    deployment.start_worker()
    deployment.send(minutes(began, feature=4.0, stream="features"), stream="features")
    deployment.send(minutes(began, feature=14.0, stream="predictions"))

    def incidents() -> list[dict[str, str]]:
        found: list[dict[str, str]] = driftline("incident", "ls", "--all", "--json", env=deployment.variables).json[
            "incidents"
        ]
        return found

    deployment.wait_until(lambda: bool(incidents()))
    [incident] = incidents()
    assert (incident["title"], incident["severity"]) == ("m: temp not as in the feature store", "P2")
    told = driftline("tail", "reports", "--once", env=deployment.variables).out.splitlines()
    assert [line.split()[3:] for line in told if "skew:short" in line] == [
        ["skew:short", "warming"], ["skew:short", "drift"], ["skew:short", "drift"],
    ]  # fmt: skip
