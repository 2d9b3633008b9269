"""A real Redis Cluster of three nodes as child processes, no replicas: each has a third of the slots."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis.crc import key_slot

from tests.support.process import free_port
from tests.support.redis import LocalRedis

SLOTS = 16_384
NODES = 3
#: Whoever does not answer for so long has failed.  A machine that runs several suites at once stands still for a second or two,
#: and nodes that had a second declared each other dead, and the cluster down, with nobody killed.
NODE_TIMEOUT_MS = 5_000


class ClusterNode(LocalRedis):
    """One node; ``bus`` is the port by which nodes speak to each other."""

    def __init__(self, folder: Path) -> None:
        self.bus = free_port()
        bus = ("--cluster-port", str(self.bus), "--cluster-node-timeout", str(NODE_TIMEOUT_MS))
        super().__init__(folder, options=("--cluster-enabled", "yes", *bus))

    def say(self, *command: Any) -> Any:
        """Its answer to a command."""
        with self.client() as client:
            return client.execute_command(*command)

    def is_whole(self) -> bool:
        """Whether it knows who has every slot, and that they answer."""
        told = self.say("CLUSTER", "INFO").decode().splitlines()
        return {"cluster_state:ok", f"cluster_known_nodes:{NODES}"} <= set(told)


class LocalCluster:
    """Three nodes under ``folder``; ``url`` names two of them, the same for life."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [ClusterNode(folder / f"node-{number}") for number in range(NODES)]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])

    def start(self) -> None:
        """Start the nodes, share the slots out, and return when each node says that the cluster is whole."""
        for number, node in enumerate(self.nodes):
            node.start()
            node.say("CLUSTER", "ADDSLOTSRANGE", _first(number), _first(number + 1) - 1)
            node.say("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.say("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus)
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Return when every node knows all of them: a node that had failed is believed again after two time-outs."""
        self._wait_until(lambda: all(node.is_whole() for node in self.nodes), "the cluster is not whole")

    def wait_until_down(self, *, without: ClusterNode) -> None:
        """Return when the other nodes refuse what they are asked, since nobody has the slots of this one."""
        others = [node for node in self.nodes if node is not without]
        self._wait_until(lambda: not any(node.is_whole() for node in others), "the cluster is not down", others)

    def _wait_until(self, reached: Callable[[], bool], otherwise: str, asked: list[ClusterNode] | None = None) -> None:
        end = time.monotonic() + 60
        while not reached():
            if time.monotonic() > end:
                raise RuntimeError(f"{otherwise}\n{self.told(asked or self.nodes)}")
            time.sleep(0.05)

    def told(self, nodes: list[ClusterNode]) -> str:
        """What these nodes say of themselves and of the others."""
        asked = [node.say("CLUSTER", word) for node in nodes for word in ("INFO", "NODES")]
        return "\n".join(answer.decode() for answer in asked)

    def stop(self) -> None:
        """End them all."""
        for node in self.nodes:
            node.stop()

    def node_of(self, key: str) -> ClusterNode:
        """The node that has a key."""
        slot = key_slot(key.encode())
        return next(node for number, node in enumerate(self.nodes) if slot < _first(number + 1))


def _first(number: int) -> int:
    return SLOTS * number // NODES
