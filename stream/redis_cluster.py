"""A Redis Cluster as a client sees it: several addresses to begin with, and one node whose clock is the clock of all.

Keys are tagged, so that what one script or one transaction touches lies in one slot (docs/redis.md); redis-py sends each question
to the node that has it.  The time it would ask of any node, and two need not agree: :func:`stream.state.clock.read_now` asks one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode as BlockingNode
from redis.cluster import RedisCluster as BlockingCluster
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisClusterException
from redis.retry import Retry as BlockingRetry

DEFAULT_PORT = 6379


class Cluster(RedisCluster):
    """redis-py's, whose nodes are looked for again at the next question; what it finds wrong with them is an error of Redis."""

    async def initialize(self, *how: Any, **named: Any) -> RedisCluster:
        """Find the nodes.

        :raises redis.exceptions.ConnectionError: none answers, or they do not have all slots; redis-py's own is no ``RedisError``.
        """
        try:
            return await super().initialize(*how, **named)
        except RedisClusterException as error:
            raise NotConnected(str(error)) from error


def cluster(url: str, **how: Any) -> Cluster:
    """A client of the nodes that an address names; nothing is asked yet."""
    nodes = [ClusterNode(host, port) for host, port in addresses(url)]
    return Cluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 0), **_who(url), **how)


def blocking_cluster(url: str, **how: Any) -> BlockingCluster:
    """The same without an event loop; it is connected.

    :raises redis.exceptions.RedisError: no node answers, or they do not have all slots.
    """
    nodes = [BlockingNode(host, port) for host, port in addresses(url)]  # type: ignore[no-untyped-call]
    try:
        return BlockingCluster(startup_nodes=nodes, retry=BlockingRetry(NoBackoff(), 0), **_who(url), **how)
    except RedisClusterException as error:
        raise NotConnected(str(error)) from error


def addresses(url: str) -> list[tuple[str, int]]:
    """The nodes that an address names.

    :raises ValueError: a port is none.

    >>> addresses("redis+cluster://driftline:pw@a:7000,b,[::1]:7002")
    [('a', 7000), ('b', 6379), ('::1', 7002)]
    """
    found = [urlsplit(f"//{host}") for host in urlsplit(url).netloc.rpartition("@")[2].split(",")]
    return [(host.hostname or "localhost", host.port or DEFAULT_PORT) for host in found]


def _who(url: str) -> dict[str, Any]:
    user, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    told = {"username": unquote(user) or None, "password": unquote(password) or None}
    return {name: value for name, value in told.items() if value} | ({"ssl": True} if url.startswith("rediss") else {})
