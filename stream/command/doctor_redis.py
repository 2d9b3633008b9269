"""What the doctor asks Redis: whether it answers, and whether it keeps what it is given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from schemas.settings import Settings, masked
from stream.command.checks import Found, judged
from stream.redis_client import blocking_client
from stream.redis_refusal import refusal

ANSWER_WITHIN_S = 3.0
#: Of its memory that may be used: beyond the first it is worth a look, beyond the second it is time.
ROOM, LITTLE_ROOM = 0.75, 0.9
#: The oldest that is tested with.
OLDEST = 7
#: A clock may be so far from another's.
APART_S, FAR_APART_S = 1.0, 60.0


class RedisChecks:
    """Checks of one environment's Redis; of a cluster, of each of its primaries."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def answers(self) -> Iterator[Found]:
        where = masked(self._settings.redis)
        try:
            for node, info in self._infos("server"):
                version = str(info.get("redis_version", "?"))
                old = version.split(".")[0].isdigit() and int(version.split(".")[0]) < OLDEST
                said = f"{where}{node} answers: version {version}"
                yield judged("Redis", said, look=old, do=f"use Redis {OLDEST} or newer")
        except (RedisError, OSError) as error:
            refused = refusal(error, where=where)
            do = "start it, or set DRIFTLINE_REDIS to where it is"
            said = str(refused) if refused is not None else f"{where} does not answer ({error})"
            yield Found("Redis", "wrong", said, "as it says" if refused is not None else do)

    def policy(self) -> Iterator[Found]:
        for node, info in self._infos("memory"):
            policy = str(info.get("maxmemory_policy", "unknown"))
            do = "set maxmemory-policy noeviction: it would silently delete panes"
            yield judged(f"Redis eviction{node}", policy, wrong=policy != "noeviction", do=do)

    def memory(self) -> Iterator[Found]:
        for node, info in self._infos("memory"):
            used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
            limit = most or int(info.get("total_system_memory", 0))
            share = used / limit if limit else 0.0
            of = "maxmemory" if most else "the machine's memory"
            said = f"{used / 2**20:.0f} MiB, {share:.0%} of {of}"
            do = "give it more memory, keep panes for fewer days (DRIFTLINE_PANE_KEEP_DAYS), or use a cluster"
            yield judged(f"Redis memory{node}", said, wrong=share > LITTLE_ROOM, look=share > ROOM, do=do)

    def persistence(self) -> Iterator[Found]:
        for node, info in self._infos("persistence"):
            on, well = bool(info.get("aof_enabled")), info.get("aof_last_write_status", "ok") == "ok"
            said = "append-only file" if on else "no append-only file: a restart loses what came last"
            do = "set appendonly yes, or expect to count again from Kafka after a restart"
            yield judged(
                f"Redis persistence{node}", said if well else f"{said}, not written", wrong=not well, look=not on, do=do
            )

    def role(self) -> Iterator[Found]:
        for node, info in self._infos("replication"):
            role, replicas = info.get("role", "master"), int(info.get("connected_slaves", 0))
            said = f"{'primary' if role == 'master' else 'replica'}, {replicas} replicas"
            do = "set DRIFTLINE_REDIS to the primary: nothing can be written here"
            yield judged(f"Redis role{node}", said, wrong=role != "master", do=do)

    def scripts(self) -> Iterator[Found]:
        """Whether scripts may be loaded and called; the one that is asks nothing and writes nothing."""
        key = self._settings.names.key("doctor")
        with self._client() as redis:
            asked: Any = redis
            digest = asked.script_load("return redis.call('EXISTS', KEYS[1])")
            asked.evalsha(digest, 1, key)
        yield Found("Redis scripts", "ok", "may be loaded and called")

    def clock(self) -> Iterator[Found]:
        for node, info in self._infos("server"):
            stamp = int(info.get("server_time_usec", 0)) / 1e6
            if not stamp:
                continue
            apart = time.time() - stamp
            said = f"{abs(apart):.1f} s {'behind' if apart > 0 else 'ahead of'} this machine's"
            do = "let both machines keep their time (NTP): live, incidents go by Redis' clock"
            wrong, look = abs(apart) > FAR_APART_S, abs(apart) > APART_S
            yield judged(f"Redis clock{node}", said, wrong=wrong, look=look, do=do)

    def _client(self) -> Redis:
        return blocking_client(self._settings, answers_within_s=ANSWER_WITHIN_S)

    def _infos(self, section: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What INFO says, and of which node of a cluster."""
        with self._client() as redis:
            asked: Any = redis
            if isinstance(asked, RedisCluster):
                for node in asked.get_primaries():  # type: ignore[no-untyped-call]
                    yield f" at {node.name}", asked.info(section, target_nodes=node)
            else:
                yield "", asked.info(section)
