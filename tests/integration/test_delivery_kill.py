"""``kill -9`` of the worker at ten labelled points of a delivery: nothing is lost, nobody is rung twice, everything is closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas import findings
from schemas.findings import Finding, Progress
from stream.evaluate.own_topics import ensure_topics
from stream.kill_points import DELIVERY
from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import Posted, RecordingSlack, recording_slack
from tests.support.command import driftline
from tests.support.incident_owner import HOUR, T0, finding
from tests.support.models import reference
from tests.support.worker import Deployment

MONITORS = """\
schema: 1
defaults: {pane: 1h, windows: {day: 24h}, step: 1h, lateness: 0s}
sources:
  weather: {owner: data}
models:
  m:
    reference: m.json
    features:
      temp: {type: numeric, source: weather}
receivers:
  console: {}
  oncall: {pagerduty: {routing_key: {file: KEY_FILE}}, slack: {token: {env: KILL_TEST_TOKEN}, channel: "#ml-p0"}}
route:
  receiver: console
  routes:
    - {match: ['severity="P0"'], receiver: oncall, open_wait: 0s}
"""
#: The first turn of a worker is its configuration's; the one that matters is the finding's.
AT = {"before-commit": "before-commit:2", "after-commit": "after-commit:2"}


class Scene:
    """A deployment with its two receivers, which outlive the workers."""

    def __init__(
        self, deployment: Deployment, pager: Recording[RecordingPagerDuty], slack: Recording[RecordingSlack]
    ) -> None:
        self.deployment, self.pager, self.slack = deployment, pager, slack

    def apply(self) -> None:
        folder = self.deployment.folder
        (folder / "m.json").write_bytes(reference().to_json())
        (folder / "key").write_text("k" * 32)
        (folder / "monitors.yaml").write_text(MONITORS.replace("KEY_FILE", str(folder / "key")))
        applied = driftline("apply", str(folder / "monitors.yaml"), env={**self.deployment.variables, **self.secrets})
        assert applied.code == 0, applied
        ensure_topics(self.deployment.settings)

    @property
    def secrets(self) -> dict[str, str]:
        return {"KILL_TEST_TOKEN": "xoxb-test"}

    def start(self, **more: str) -> None:
        settings = {
            "pagerduty_url": self.pager.url, "slack_url": f"{self.slack.url}/api/", "in_doubt_s": "0.5",
            "session_timeout_s": "2", **more,
        }  # fmt: skip
        self.deployment.start_worker(**settings)

    def send(self, *messages: Finding | Progress) -> None:
        producer = Producer({"bootstrap.servers": self.deployment.kafka})
        for message in messages:
            producer.produce(self.deployment.names.topic("findings"), findings.encode(message), partition=0)
        assert producer.flush(10) == 0


@pytest.fixture
def scene(deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with ExitStack() as stack:
        pager = stack.enter_context(recording_pagerduty(folder=tmp_path))
        slack = stack.enter_context(recording_slack(folder=tmp_path))
        made = Scene(deployment, pager, slack)
        for name, value in made.secrets.items():
            monkeypatch.setenv(name, value)
        made.apply()
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("label", DELIVERY)
def test_a_worker_killed_there_loses_and_doubles_nothing(scene: Scene, label: str) -> None:
    scene.start(test_kill_at=AT.get(label, label))
    [first] = scene.deployment.workers
    scene.send(finding(severity="P0"))
    scene.deployment.wait_until(lambda: not first.alive)
    scene.start()

    wait = scene.deployment.wait_until
    wait(lambda: len(scene.pager.vendor.incidents) == 1 and len(roots(scene)) == 1)
    scene.send(*(finding(hours=hours, state="ok", severity="P0") for hours in (1, 2)))
    scene.send(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
    wait(lambda: scene.pager.vendor.incidents[0].closed and "RESOLVED" in roots(scene)[0].text)

    assert (scene.pager.vendor.rings, scene.pager.vendor.lost) == (1, [])
    [root] = roots(scene)
    assert [message for message in scene.slack.vendor.thread(root) if "FIRING" in message.text] == []
    listed = driftline("incident", "ls", "--all", "--json", env=scene.deployment.variables).json["incidents"]
    assert [(one["state"], one["end_reason"]) for one in listed] == [("ended", "recovered")]


def roots(scene: Scene) -> list[Posted]:
    """Slack's messages that are no replies."""
    return scene.slack.vendor.roots()
