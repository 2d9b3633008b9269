"""Everything the demo stands on: an embedded broker with its topics, an embedded Redis, two receivers that record, a folder."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import DriftlineError
from schemas.names import TOPICS_IN, TOPICS_INSIDE, TOPICS_OUT, Names
from stream.local.broker import create_topic, embedded_broker
from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import RecordingSlack, recording_slack
from stream.local.redis import embedded_redis

DRIFTLINE = (sys.executable, "-c", "from stream.command.main import main; main()")
NAMES = Names()

#: At most 10 000 records are outstanding, counted against what is stored: the replay goes as fast as checkpoints do.
_EAGER = {"DRIFTLINE_FLUSH_INTERVAL_S": "0.1", "DRIFTLINE_SHORT_RUN_PAUSE_S": "0.02"}
#: What the monitors file names; the recording receivers take any.
_SECRETS = {"DEMO_PAGERDUTY_KEY": "0" * 32, "DEMO_SLACK_TOKEN": "xoxb-demo"}
#: A replay ends with control records; until then a partition that pauses is slow, not idle.
_PATIENT_S = "600"
CONSOLE_PORT = 8789


class DemoHasNoPort(DriftlineError):
    """The console has nowhere to listen."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The running parts: where Kafka and Redis are, who is told, and a folder for files and logs."""

    kafka: str
    redis: str
    pagerduty: Recording[RecordingPagerDuty]
    slack: Recording[RecordingSlack]
    folder: Path
    console_port: int

    @property
    def env(self) -> dict[str, str]:
        """What children are told, whatever DRIFTLINE_… variables this process was given."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTLINE_")}
        return ours | _EAGER | _SECRETS | {
            "DRIFTLINE_KAFKA": self.kafka,
            "DRIFTLINE_REDIS": self.redis,
            "DRIFTLINE_CLOCK": "event",
            "DRIFTLINE_IDLE_AFTER_S": _PATIENT_S,
            "DRIFTLINE_PAGERDUTY_URL": self.pagerduty.url,
            "DRIFTLINE_SLACK_URL": f"{self.slack.url}/api/",
            "DRIFTLINE_CONSOLE_PORT": str(self.console_port),
            "DRIFTLINE_CONSOLE_URL": f"http://127.0.0.1:{self.console_port}",
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip


@contextlib.contextmanager
def running_stack() -> Iterator[Stack]:
    """All of it until the block ends; the folder is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="driftline-demo-") as folder,
        embedded_redis(Path(folder)) as redis,
        embedded_broker() as kafka,
        recording_pagerduty(Path(folder)) as pagerduty,
        recording_slack(Path(folder)) as slack,
        console_port() as port,
    ):
        for topic in (*TOPICS_IN, *TOPICS_OUT, *TOPICS_INSIDE):
            create_topic(kafka, NAMES.topic(topic))
        yield Stack(kafka, redis, pagerduty, slack, Path(folder), port)


@contextlib.contextmanager
def console_port() -> Iterator[int]:
    """The console's own port, or a free one where a console runs already or another demo is about to start one.

    It is held meanwhile: who may share an address (our console does) can listen on it, another demo cannot have it.
    """
    with socket.socket() as held:
        for port in (CONSOLE_PORT, 0):
            with contextlib.suppress(OSError):
                held.bind(("127.0.0.1", port))
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # only now: two that share could both bind
                break
        else:
            raise DemoHasNoPort(f"neither port {CONSOLE_PORT} nor any other of 127.0.0.1 is free")
        yield int(held.getsockname()[1])
