"""Reads service levels as evaluation has stored them: of the stream that serving is taken from, and of serving's own events."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from redis.asyncio import Redis

from schemas import service_levels
from schemas.monitored import ModelMonitor
from schemas.names import Names, Stream
from schemas.service_levels import Service

log = logging.getLogger(__name__)


def streams_of(monitor: ModelMonitor) -> tuple[Stream, ...]:
    """The streams whose state says something of a model's service."""
    return ("serving",) if monitor.serving.stream == "serving" else (monitor.serving.stream, "serving")


def ask_services(pipe: Any, names: Names, model: str, *, monitor: ModelMonitor) -> None:
    """Ask for them in a pipeline; ``services_of`` reads as many answers as there are streams."""
    for stream in streams_of(monitor):
        pipe.hget(names.evaluation(model, stream), "service")


async def read_services(
    redis: Redis, names: Names, monitors: Mapping[str, ModelMonitor]
) -> Mapping[str, Mapping[str, Service]]:
    """Of many models, by model and stream."""
    pipe = redis.pipeline(transaction=False)
    for model, monitor in monitors.items():
        ask_services(pipe, names, model, monitor=monitor)
    answers = iter(await pipe.execute() if monitors else ())
    return {
        model: services_of(monitor, [next(answers) for _ in streams_of(monitor)]) for model, monitor in monitors.items()
    }


def services_of(monitor: ModelMonitor, answers: Sequence[object]) -> Mapping[str, Service]:
    """By stream; what cannot be read is left out."""
    pairs = zip(streams_of(monitor), answers, strict=True)
    found = {stream: _service(cast("bytes | None", stored)) for stream, stored in pairs}
    return {stream: service for stream, service in found.items() if service is not None}


def _service(stored: bytes | None) -> Service | None:
    try:
        return service_levels.decode(stored) if stored else None
    except msgspec.DecodeError as error:
        log.warning("stored service levels cannot be read, their gauges are left out: %s", error)
        return None
