"""Scenes on services of their own, which a row of the chaos table kills, cuts off and rolls back."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.chaos import Scene, put_in_force
from tests.support.proxy import Proxy
from tests.support.redis import LocalRedis
from tests.support.worker import Deployment


@contextmanager
def scene_on(deployment: Deployment) -> Iterator[Scene]:
    """Two models in force and nothing sent, as the table's own scene; its workers end with the block."""
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
    print(f"CHAOS_SEED={seed}")  # shown when the test fails
    deployment.create_topics()
    put_in_force(deployment)
    try:
        yield Scene(deployment, seed)
    finally:
        deployment.stop()


@dataclass(slots=True)
class Replicated:
    """A Redis and its replica; ``front`` is the address that workers are given, ``link`` what the replica hears its primary by."""

    primary: LocalRedis
    replica: LocalRedis
    front: Proxy
    link: Proxy

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Replicated]:
        """Both of them, the replica up to date."""
        primary, replica = LocalRedis(folder / "primary"), LocalRedis(folder / "replica")
        made = cls(primary, replica, Proxy(primary.port, folder=folder), Proxy(primary.port, folder=folder))
        parts = (primary, replica, made.front, made.link)
        try:
            for part in parts:
                part.start()
            made._follow()
            yield made
        finally:
            for part in parts:
                part.stop()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.front.port}/0"

    def fall_behind(self) -> None:
        """From now on what the primary writes does not reach the replica."""
        self.link.hold()

    def fail_over(self) -> None:
        """The primary is gone for good; the replica becomes the primary, at the address of before."""
        self.front.cut()
        self.primary.kill()
        self.link.stop()
        with self.replica.client() as client:
            client.replicaof("NO", "ONE")
        self.front.to(self.replica.port)

    def _follow(self) -> None:
        with self.replica.client() as client:
            client.replicaof("127.0.0.1", str(self.link.port))
            ends = time.monotonic() + 20
            while client.info("replication")["master_link_status"] != "up":
                assert time.monotonic() < ends, "the replica does not follow"
                time.sleep(0.05)
