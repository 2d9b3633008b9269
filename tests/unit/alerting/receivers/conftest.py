"""A recording Slack, and the one receiver of these tests that posts to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerting.receivers.slack import Slack
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import RecordingSlack, recording_slack
from tests.support.slack_receiver import made


@pytest.fixture
def workspace() -> Iterator[Recording[RecordingSlack]]:
    with recording_slack() as found:
        yield found


@pytest.fixture
def channel(workspace: Recording[RecordingSlack], tmp_path: Path) -> Slack:
    return made(workspace.url, tmp_path)
