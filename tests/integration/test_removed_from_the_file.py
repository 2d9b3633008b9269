"""A model, or a feature of one, that leaves the monitors file while its incident is open: it ends, and whoever was told hears so.

From events to the receivers through a real worker: nothing of the removed is judged any more, so nothing else would end it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stream.evaluate.own_topics import ensure_topics
from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import RecordingSlack, recording_slack
from tests.support.command import driftline
from tests.support.models import reference
from tests.support.worker import PARTITIONS, Deployment

MINUTE = 60_000
HEAD = """\
schema: 1
defaults: {pane: 1m, windows: {minute: 1m}, step: 1m, lateness: 0s}
receivers:
  oncall: {pagerduty: {routing_key: {file: KEY_FILE}}, slack: {token: {env: REMOVED_TEST_TOKEN}, channel: "#ml"}}
route: {receiver: oncall, open_wait: 0s}
models:
"""
MODEL = """\
  {model}:
    reference: {model}.json
    features:
      {feature}: {{type: {type}}}
"""


class Scene:
    """A deployment with its two receivers and a worker."""

    def __init__(
        self, deployment: Deployment, pager: Recording[RecordingPagerDuty], slack: Recording[RecordingSlack]
    ) -> None:
        self.deployment, self.pager, self.slack = deployment, pager, slack
        self.began = (time.time_ns() // 1_000_000 // MINUTE - 4) * MINUTE

    def apply(self, **models: str) -> None:
        """Put models into force, each with one feature."""
        folder = self.deployment.folder
        (folder / "key").write_text("k" * 32)
        kinds = {"temp": "numeric", "carrier": "categorical"}
        text = HEAD.replace("KEY_FILE", str(folder / "key"))
        for model, feature in models.items():
            (folder / f"{model}.json").write_bytes(reference(model).to_json())
            text += MODEL.format(model=model, feature=feature, type=kinds[feature])
        (folder / "monitors.yaml").write_text(text)
        applied = driftline("apply", str(folder / "monitors.yaml"), env=self.deployment.variables)
        assert applied.code == 0, applied

    def minute(self, number: int, *, status: str, temp: float, models: str = "mn") -> None:
        """A minute of 120 requests of each model, and the watermark at its end; of the present, or it would be told late."""
        start = self.began + number * MINUTE
        events = [
            {
                "model": model,
                "timestamp": start + at * 500,
                "features": {"temp": temp, "carrier": "UA"},
                "status": status,
            }
            for model in models
            for at in range(120)
        ]
        closing = [{"control": "watermark", "timestamp": start + MINUTE}] * PARTITIONS
        self.deployment.send(json.dumps(one).encode() for one in (*events, *closing))

    def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = driftline(
            "incident", "ls", "--all", "--json", env=self.deployment.variables
        ).json["incidents"]
        return found

    def of(self, model: str) -> list[dict[str, Any]]:
        return [one for one in self.incidents() if one["models"] == [model]]

    def wait_until_told(self, model: str) -> list[str]:
        """Until the model has incidents, and each is open at both receivers; their ids."""

        def told() -> bool:
            believed = [one["believes"] for each in self.of(model) for one in each.get("deliveries", ())]
            return bool(believed) and all(one.startswith("open") for one in believed)

        self.deployment.wait_until(told)
        return [one["id"] for one in self.of(model)]

    def resolved(self) -> int:
        """Root messages in Slack that say it is over."""
        return sum("RESOLVED" in root.text for root in self.slack.vendor.roots())


@pytest.fixture
def scene(deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("REMOVED_TEST_TOKEN", "xoxb-test")
    with ExitStack() as stack:
        pager = stack.enter_context(recording_pagerduty(folder=tmp_path))
        slack = stack.enter_context(recording_slack(folder=tmp_path))
        made = Scene(deployment, pager, slack)
        made.apply(m="temp", n="temp")
        ensure_topics(deployment.settings)
        deployment.start_worker(pagerduty_url=pager.url, slack_url=f"{slack.url}/api/")
        yield made


def test_a_model_that_leaves_the_file_ends_its_incidents_at_every_receiver_and_no_others(scene: Scene) -> None:
    scene.minute(0, status="error", temp=10.0)
    gone, kept = scene.wait_until_told("m"), scene.wait_until_told("n")
    scene.apply(n="temp")
    scene.deployment.wait_until(lambda: scene.resolved() == len(gone))

    ended = {one["id"]: one["end_reason"] for one in scene.incidents() if one["state"] == "ended"}
    assert ended == dict.fromkeys(gone, "removed")
    assert len(scene.pager.vendor.open_keys()) == len(kept)
    shown = driftline("incident", "show", gone[0], env=scene.deployment.variables).out
    assert "its rules were removed" in shown


def test_a_feature_that_leaves_the_file_ends_what_it_caused_alone(scene: Scene) -> None:
    scene.minute(0, status="success", temp=15.0)
    gone, kept = scene.wait_until_told("m"), scene.wait_until_told("n")
    scene.apply(m="carrier", n="temp")
    scene.minute(1, status="success", temp=15.0)
    scene.deployment.wait_until(lambda: scene.resolved() == len(gone))

    [one] = scene.of("m")
    assert (one["id"], one["state"], one["end_reason"]) == (gone[0], "ended", "removed")
    assert [one["state"] for one in scene.of("n")] == ["open"]
    assert len(scene.pager.vendor.open_keys()) == len(kept)
