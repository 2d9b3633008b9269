"""Kafkas that one row of the chaos table breaks: three brokers with three copies of everything, and one behind a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient

from tests.support.kafka import BRIEF, LocalKafka
from tests.support.process import free_port
from tests.support.proxy import Proxy

NODES = 3
#: Three of them share a machine with the workers: little memory each.
SMALL = (*BRIEF, "-Xms64m", "-Xmx256m")

#: A write is confirmed once two have it; one that lags for 3 s no longer counts among those that do.
COPIES = """
node.id={node}
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
replica.lag.time.max.ms=3000
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1500
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
"""

BEHIND = """
listeners=PLAINTEXT://127.0.0.1:{open},BEHIND://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{open},BEHIND://127.0.0.1:{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
"""


@dataclass(slots=True)
class ThreeBrokers:
    """Three brokers; ``bootstrap`` names them all."""

    nodes: list[LocalKafka]

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[ThreeBrokers]:
        """All of them, once each answers."""
        made = cls([LocalKafka(folder / f"kafka-{node}", java=SMALL, node=node + 1) for node in range(NODES)])
        voters = ",".join(f"{at + 1}@127.0.0.1:{node.controller}" for at, node in enumerate(made.nodes))
        for at, node in enumerate(made.nodes):
            node.add(COPIES.format(node=at + 1, voters=voters))
        try:
            for node in made.nodes:
                node.launch()
            for node in made.nodes:  # none answers before most of them are there
                node.wait_until_there()
            yield made
        finally:
            for node in made.nodes:
                node.kill()

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    def leader(self, topic: str, partition: int = 0) -> LocalKafka:
        """Who is written to and read from."""
        asked = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return self.nodes[asked.list_topics(topic, timeout=20).topics[topic].partitions[partition].leader - 1]

    def copies(self, topic: str) -> set[int]:
        """How many brokers are up to date with each partition."""
        asked = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return {len(one.isrs) for one in asked.list_topics(topic, timeout=20).topics[topic].partitions.values()}


@dataclass(slots=True)
class BehindNetwork:
    """A broker that can be reached directly at ``open``, and over ``network`` at ``far``, which it tells such clients to use."""

    kafka: LocalKafka
    network: Proxy

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[BehindNetwork]:
        kafka, port = LocalKafka(folder / "kafka", java=BRIEF), free_port()
        network = Proxy(port, folder=folder)
        kafka.add(BEHIND.format(open=kafka.port, port=port, controller=kafka.controller, advertised=network.port))
        try:
            kafka.start()
            network.start()
            yield cls(kafka, network)
        finally:
            network.stop()
            kafka.stop()

    @property
    def open(self) -> str:
        return self.kafka.bootstrap

    @property
    def far(self) -> str:
        return f"127.0.0.1:{self.network.port}"
