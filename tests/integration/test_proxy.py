"""The network that tests put between a client and Redis: it passes, cuts, holds and slows what goes over it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.proxy import Proxy
from tests.support.redis import LocalRedis


@pytest.fixture
def proxy(own_redis: LocalRedis, tmp_path: Path) -> Iterator[Proxy]:
    made = Proxy(own_redis.port, folder=tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[redis.Redis]:
    with redis.Redis(port=proxy.port, socket_timeout=5.0, retry=Retry(NoBackoff(), 0)) as made:
        yield made


def test_everything_goes_through_both_ways(client: redis.Redis) -> None:
    large = bytes(range(256)) * 4_000  # more than a chunk
    client.set("key", large)
    assert client.get("key") == large


def test_a_cut_resets_every_connection_and_refuses_new_ones(proxy: Proxy, client: redis.Redis) -> None:
    client.ping()
    proxy.cut()
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.ping()
    proxy.through()
    assert client.ping()


def test_what_is_held_arrives_when_the_network_is_back(proxy: Proxy, client: redis.Redis) -> None:
    client.ping()
    proxy.hold()
    with ThreadPoolExecutor(1) as pool, redis.Redis(port=proxy.target) as beside:
        answer = pool.submit(client.set, "key", "sent while held")
        time.sleep(0.2)
        assert (answer.done(), beside.get("key")) == (False, None)
        proxy.through()
        assert (answer.result(), beside.get("key")) == (True, b"sent while held")


def test_an_answer_takes_as_long_as_was_said_and_a_hundred_at_once_no_longer(proxy: Proxy, client: redis.Redis) -> None:
    client.ping()
    proxy.slow(300)
    assert 0.3 <= _seconds(client.ping) < 2.0
    pipe = client.pipeline(transaction=False)
    for _ in range(100):
        pipe.ping()
    assert 0.3 <= _seconds(pipe.execute) < 2.0
    proxy.through()
    assert _seconds(client.ping) < 0.3


def test_a_fail_over_leads_the_same_address_to_another_service(
    proxy: Proxy, client: redis.Redis, tmp_path: Path
) -> None:
    other = LocalRedis(tmp_path / "other")
    other.start()
    try:
        client.set("key", "of the first")
        proxy.to(other.port)
        with redis.Redis(port=proxy.port) as anew:
            assert anew.get("key") is None
    finally:
        other.stop()


def _seconds(done: Callable[[], object]) -> float:
    started = time.monotonic()
    done()
    return time.monotonic() - started
