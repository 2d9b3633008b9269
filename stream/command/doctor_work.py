"""What the doctor reads of the work itself: what is in force, who works, how far behind they are, and what waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.asyncio import Redis

from alerting.receivers.build import build
from alerting.receivers.endpoints import Endpoints
from schemas.names import Names
from schemas.settings import Settings
from stream.command.checks import Found, judged
from stream.command.connect import ask_redis
from stream.command.lag import lags, logs_of
from stream.command.printing import moment, span
from stream.evaluate.storing.leases import FORGOTTEN_AFTER_MS
from stream.evaluate.storing.shards import SHARDS
from stream.state.clock import read_clock, read_now
from stream.state.generations import missing_references, read
from stream.state.outboxes import read_deliveries, read_outboxes
from stream.state.progress import read_progress

#: Longest that something may wait in Redis: for Kafka, for a vendor.
KAFKA_WAIT_S, VENDOR_WAIT_S = 60.0, 300.0
#: A partition with records to read stores an offset at least so often.
PROGRESS_S = 60.0
#: Live, event time may be so far behind.
DELAY_S = 3_600.0


class WorkChecks:
    """Checks of one environment's workers and of what they have stored."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._names = settings, settings.names

    def generation(self) -> Iterator[Found]:
        async def asked(redis: Redis, names: Names) -> Any:
            found = await read(redis, names)
            return found, await missing_references(redis, names, found) if found is not None else ()

        found, missing = ask_redis(self._settings, asked)
        if found is None:
            yield Found("configuration", "wrong", "nothing is in force", "run driftline apply FILE")
        else:
            said = f"generation {found.number}, applied {moment(found.applied_ms)}, {len(found.models)} models"
            there = (
                f"{len(missing)} references are not there ({missing[0][:16]})" if missing else "all references there"
            )
            do = "run driftline apply on the monitors file again"
            yield judged("configuration", f"{said}, {there}", wrong=bool(missing), do=do)

    def workers(self) -> Iterator[Found]:
        async def asked(redis: Redis, names: Names) -> tuple[Any, int, Any]:
            now = await read_now(redis, names)
            alive: Any = await redis.zrangebyscore(names.workers, now - FORGOTTEN_AFTER_MS, "+inf")
            pipe = redis.pipeline(transaction=False)
            for shard in range(SHARDS):
                pipe.exists(names.lease(shard))
            held = sum(await pipe.execute())
            return [name.decode() for name in alive], held, await redis.hget(names.incidents("owner"), "owner")

        alive, held, owner = ask_redis(self._settings, asked)
        do = "start driftline worker"
        yield judged(
            "workers", f"{len(alive)} alive" + (f": {', '.join(alive)}" if alive else ""), wrong=not alive, do=do
        )
        do = "wait some seconds; if it stays so, look at the workers' logs"
        yield judged("leases of evaluation", f"{held} of {SHARDS} held", wrong=held < SHARDS, do=do)
        name = owner.decode() if owner else None
        do = "without it nobody is told; start a worker, and look whether it says incidents: owner"
        yield judged("owner of incidents", name or "none yet", wrong=name is None, look=name not in alive, do=do)

    def lag(self) -> Iterator[Found]:
        async def asked(redis: Redis, names: Names) -> Any:
            return await read_progress(redis, names), await read_now(redis, names), await read_clock(redis, names)

        progress, now_ms, clock = ask_redis(self._settings, asked)
        by_place = {(self._names.topic(one.stream), one.partition): one for one in progress}
        found = list(lags(logs_of(self._settings), by_place, now=now_ms / 1000))
        behind = [one for one in found if one.lag]
        still = [
            one for one in behind
            if (at := by_place.get((one.topic, one.partition))) is None
            or now_ms - (at.updated_ms or 0) > PROGRESS_S * 1000
        ]  # fmt: skip
        said = f"{sum(one.lag for one in behind)} records in {len(behind)} of {len(found)} partitions"
        stuck = ", ".join(f"{one.topic}:{one.partition}" for one in still[:5])
        do = "nothing is stored of them: start workers, and look at /health of those that run"
        yield judged("lag", said + (f"; no progress in {stuck}" if stuck else ""), wrong=bool(still), do=do)
        delays = [one.watermark_delay_s for one in found if one.watermark_delay_s is not None]
        late = clock != "event" and max(delays, default=0.0) > DELAY_S
        do = "producers stand still, or their clocks are behind; driftline lag names the partitions"
        yield judged("event time", f"{span(max(delays, default=None))} behind the clock at most", look=late, do=do)

    def losses(self) -> Iterator[Found]:
        async def asked(redis: Redis, names: Names) -> list[tuple[str, str]]:
            progress = await read_progress(redis, names)
            pipe = redis.pipeline(transaction=False)
            for one in progress:
                pipe.hget(names.offset(one.stream, one.partition), "state")
            states = await pipe.execute()
            return [
                (f"{names.topic(one.stream)}:{one.partition}", f"{one.lost} lost" if one.lost else str(one.happened))
                for one, state in zip(progress, states, strict=True)
                if one.lost or state == b"warming"
            ]

        found = ask_redis(self._settings, asked)
        said = ", ".join(f"{place} ({what})" for place, what in found[:5]) or "none"
        do = "their windows say warming until they reach over it; see docs/operations.md, When something is lost"
        yield judged("warming and lost", said, look=bool(found), do=do)

    def receivers(self) -> Iterator[Found]:
        """Whether the secrets that receivers need are found from here; they are read, and never shown."""
        settings = self._settings
        generation = ask_redis(settings, read)
        receivers = generation.receivers if generation is not None else {}
        endpoints = Endpoints(
            settings.pagerduty_url, settings.slack_url, settings.console_url, settings.runbook_url
        )  # fmt: skip
        built = build(receivers, environment=settings.environment, endpoints=endpoints, clock=settings.clock)
        for problem in built.problems:
            yield Found("receivers", "wrong", str(problem), "as it says, wherever workers run")
        if not built.problems:
            yield Found("receivers", "ok", f"{len(receivers)}, every secret found from here")

    def outboxes(self) -> Iterator[Found]:
        async def asked(redis: Redis, names: Names) -> Any:
            return await read_outboxes(redis, names), await read_deliveries(redis, names)

        messages, deliveries = ask_redis(self._settings, asked)
        oldest = max((one.oldest_s for one in messages), default=None)
        said = f"{sum(one.waiting for one in messages)} messages wait, the oldest {span(oldest)}"
        do = "look whether Kafka takes them (workers' logs); driftline outbox ls names the models"
        yield judged("for Kafka", said, wrong=(oldest or 0.0) > KAFKA_WAIT_S, do=do)
        waiting = [one for one in deliveries if one.waiting]
        longest = max((one.oldest_s or 0.0 for one in waiting), default=None)
        failed = sum(one.failed for one in deliveries)
        said = f"{sum(one.waiting for one in waiting)} deliveries wait, the oldest {span(longest)}; {failed} given up"
        do = "driftline outbox ls says which receiver and why"
        yield judged("for receivers", said, wrong=(longest or 0.0) > VENDOR_WAIT_S, look=failed > 0, do=do)
