"""Reads how the features of a model are: their newest reports, and what is sent and declared nowhere."""

from __future__ import annotations

from redis.asyncio import Redis

from schemas.config import InForce
from schemas.names import Names
from stream.expose.console.overview import windows_of
from stream.expose.console.read import Found, read_reports
from stream.expose.feature_health import FeatureHealth, features_of
from stream.ingest.unregistered import read_unregistered


async def read_features(redis: Redis, names: Names, model: str, *, force: InForce, found: Found) -> list[FeatureHealth]:
    """All features of a model in force."""
    labels = [label for stream in ("predictions", "features") for label, _ in windows_of(force.monitor, stream)]
    await read_reports(redis, names, [(model, label) for label in labels], found=found)
    reports = {label: report for (of, label), report in found.reports.items() if of == model}
    unregistered = await read_unregistered(redis, names, model)
    return features_of(model, force.monitor, reports, unregistered=unregistered)
