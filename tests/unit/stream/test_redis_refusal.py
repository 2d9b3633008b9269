"""What is said of a Redis that no waiting would mend, and that an outage is none of it."""

from __future__ import annotations

import ssl

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MovedError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as NotInTime

from stream.redis_refusal import refusal


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AuthenticationError("WRONGPASS"), "correct the user and password in DRIFTLINE_REDIS"),
        (NoPermissionError("no xadd"), "give it the rights that docs/operations.md lists"),
        (MovedError("12182 10.0.0.1:7002"), "let DRIFTLINE_REDIS begin with redis+cluster://"),
        (RedisClusterException("Cluster mode is not enabled on this node"), "leave +cluster out of DRIFTLINE_REDIS"),
        (ssl.SSLError(1, "handshake failure"), "do not agree about TLS"),
    ],
)
def test_the_way_out_is_said_also_of_what_is_behind_another_error(error: Exception, said: str) -> None:
    behind = NotConnected("it ended")
    behind.__cause__ = error
    for one in (error, behind):
        found = refusal(one, where="redis://cache:6379/0")
        assert found is not None
        assert str(found).startswith("Redis: at redis://cache:6379/0 ")
        assert said in str(found)


@pytest.mark.parametrize(
    "error", [NotConnected("refused"), NotInTime(), BusyLoadingError(), ResponseError("OOM"), OSError(111)]
)
def test_what_may_be_over_in_a_moment_is_no_refusal(error: RedisError | OSError) -> None:
    assert refusal(error, where="redis://cache:6379/0") is None
