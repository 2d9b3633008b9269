"""Fixtures every test may ask for. A service is started when the first test asks, once for the whole run."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import settings

from tests.support import backends
from tests.support.backends import Backend
from tests.support.chaos_table import pytest_runtest_makereport, pytest_terminal_summary  # noqa: F401 (hooks)
from tests.support.kafka import BRIEF, KafkaMissing, LocalKafka
from tests.support.redis import LocalRedis, RedisMissing
from tests.support.worker import Deployment

if TYPE_CHECKING:  # pandas and scikit-learn are of the demo: a run without it need not load them
    import pandas as pd

    from stream.local.model import Floats

Service = TypeVar("Service")

# A shared machine pauses when it likes: how long one example took says nothing.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_report_header() -> str:
    return backends.header()


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka shared by the run; a topic written to appears with 4 partitions."""
    yield from _running(backends.start_kafka, tmp_path_factory.mktemp("kafka"))


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Redis shared by the run: never flush it, use ``environment_name``."""
    yield from _running(backends.start_redis, tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="session")
def flights() -> pd.DataFrame:
    """The year of flights, read once for all: leave it as it is."""
    from stream.local.flights import load_flights

    return load_flights()


@pytest.fixture(scope="session")
def scores(flights: pd.DataFrame) -> Floats:
    """The demo model's score of each flight, trained once for all."""
    from stream.local.model import scores_of

    return scores_of(flights)


@pytest.fixture
def environment_name() -> str:
    """A deployment name no other test has: it prefixes topics, keys and the consumer group."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """A running broker of the test's own, to kill and restart."""
    kafka = _or_fail(partial(LocalKafka, java=BRIEF), tmp_path / "kafka")
    kafka.start()
    yield kafka
    kafka.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[LocalRedis]:
    """A running Redis of the test's own, to kill, restart and empty."""
    redis = _or_fail(LocalRedis, tmp_path / "redis")
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def deployment(kafka_bootstrap: str, redis_url: str, environment_name: str, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment with its topics on the run's Kafka and Redis; whatever workers it starts end with the test."""
    made = Deployment(kafka_bootstrap, redis_url, environment_name, tmp_path)
    made.create_topics()
    yield made
    made.stop()


def _running(start: Callable[[Path], Backend], folder: Path) -> Iterator[str]:
    backend = _or_fail(start, folder)
    yield backend.address
    backend.stop()


def _or_fail(start: Callable[[Path], Service], folder: Path) -> Service:
    try:
        return start(folder)
    except (KafkaMissing, RedisMissing) as missing:
        pytest.fail(str(missing), pytrace=False)
