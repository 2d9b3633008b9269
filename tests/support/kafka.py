"""A real Kafka 4.1 as a child process: one node in KRaft mode, from its published jars.

``restart`` and a ``kill`` followed by ``start`` keep port and data, as a broker's host would.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from confluent_kafka.admin import AdminClient

from tests.support.process import Process, free_port, listening

LIBS = Path(__file__).parents[2] / ".cache" / "kafka" / "libs"
FETCH = "make services"

#: Small where a test would wait (rebalances, retention, a killed broker's return), large where a record of
#: 2 MiB would be refused.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=true
num.partitions=4
message.max.bytes=8388608
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
log.initial.task.delay.ms=500
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=500
log.cleaner.dedupe.buffer.size=16777216
"""

#: Java's own for a broker that lives for one test: it starts on half the CPU, and would be slower after minutes only.
BRIEF = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class KafkaMissing(RuntimeError):
    """There is no Kafka (or no Java) here to start; the message says which command changes that."""


class LocalKafka:
    """One broker under ``folder``; ``bootstrap`` is its address, the same for life. ``java`` are options of the machine's.

    ``settings`` is the file of its properties, ``node`` its number among brokers that know each other.
    """

    def __init__(self, folder: Path, *, java: Sequence[str] = (), node: int = 1) -> None:
        _require()
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._log = folder / "kafka.log"
        self.settings = folder / "server.properties"
        self.controller = free_port()
        self.settings.write_text(PROPERTIES.format(port=self.port, controller=self.controller, data=folder / "data"))
        self._java = tuple(java)
        self._process: Process | None = None
        _format(folder / "data", node)

    def add(self, properties: str) -> None:
        """Further properties: of two values the last one holds."""
        self.settings.write_text(self.settings.read_text() + properties)

    def start(self) -> None:
        """Start the broker and return when it answers; RuntimeError with the end of its log otherwise."""
        self.launch()
        self.wait_until_there()

    def launch(self) -> None:
        """Start the broker, which may need others to answer. A child ends with the thread that started it."""
        self._process = Process(_java(*self._java, "kafka.Kafka", str(self.settings)), log=self._log)

    def wait_until_there(self) -> None:
        """Return when it answers."""
        assert self._process is not None
        self._process.wait_until(lambda: listening(self.port), timeout_s=60)
        self._process.wait_until(self._answers, timeout_s=60)

    def stop(self) -> None:
        """End the broker in good order; a no-op when it does not run."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """End the broker as a power cut would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        return bool(AdminClient({"bootstrap.servers": self.bootstrap}).list_topics(timeout=30).brokers)


def _format(data: Path, node: int) -> None:
    """What the tool wrote for the first of a cluster; each further one has a number and a name of its own."""
    data.mkdir(exist_ok=True)
    for name, content in _formatted().items():
        if node > 1 and name == "meta.properties":
            content = re.sub(rb"(?m)^node.id=.*$", b"node.id=%d" % node, content)
            content = re.sub(rb"(?m)^directory.id=.*$", b"directory.id=" + _cluster_id().encode(), content)
        (data / name).write_bytes(content)


@cache
def _formatted() -> dict[str, bytes]:
    """The files of a formatted storage by name: two small ones, the same for every broker, that take Java two seconds."""
    with tempfile.TemporaryDirectory() as folder:
        settings, data = Path(folder) / "server.properties", Path(folder) / "data"
        settings.write_text(PROPERTIES.format(port=free_port(), controller=free_port(), data=data))
        tool = ["kafka.tools.StorageTool", "format", "--cluster-id", _cluster_id(), "--config", str(settings)]
        done = subprocess.run(_java(*BRIEF, *tool), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"Kafka's storage could not be formatted\n{done.stdout}{done.stderr}")
        return {file.name: file.read_bytes() for file in data.iterdir()}


def _require() -> None:
    if not (LIBS / ".complete").exists() or shutil.which("java") is None:
        raise KafkaMissing(f"no Kafka to test on: run `{FETCH}`, or set DRIFTLINE_TEST_KAFKA=host:port")


def _java(*arguments: str) -> list[str]:
    return ["java", "-Xms128m", "-Xmx512m", "-Dlog4j2.level=WARN", "-cp", f"{LIBS}/*", *arguments]


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
