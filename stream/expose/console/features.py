"""Reads how the features of a model are: their newest reports, and what is sent and declared nowhere."""

from __future__ import annotations

from redis.asyncio import Redis

from schemas.config import InForce
from schemas.names import Names
from stream.evaluate.panes.windows import WINDOWED
from stream.expose.console.overview import windows_of
from stream.expose.console.read import Found, Place
from stream.expose.feature_health import FeatureHealth, features_of
from stream.ingest.unregistered import read_unregistered


def places_of(model: str, force: InForce) -> list[Place]:
    """Where the newest reports of a model's features are."""
    labels = (label for stream in WINDOWED for label, _ in windows_of(force.monitor, stream))
    return [(model, label) for label in labels]


async def read_features(redis: Redis, names: Names, model: str, *, force: InForce, found: Found) -> list[FeatureHealth]:
    """All features of a model in force, by the reports of ``places_of``, which are read already."""
    places = (place for place in places_of(model, force) if place in found.reports)
    reports = {place[1]: found.reports[place] for place in places}
    unregistered = await read_unregistered(redis, names, model)
    return features_of(model, force.monitor, reports, unregistered=unregistered)
