"""Clients of Kafka and Redis are made in one place each: another one would not speak TLS, know no password, find no cluster."""

from __future__ import annotations

import ast

import pytest

from tests.support.source import Source, parse, sources

#: What only these may say; ``stream/local`` has an embedded broker and an embedded Redis of its own.
MAKES = {"bootstrap.servers": "stream/kafka_client.py", "from_url": "stream/redis_client.py"}


def strays(source: Source) -> list[str]:
    """What a file says that another one is there for."""
    said = {node.value for node in ast.walk(source.tree) if isinstance(node, ast.Constant)}
    said |= {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    return [f"{source.path}: {one}" for one, place in MAKES.items() if one in said and source.path != place]


def test_clients_are_made_in_one_place() -> None:
    elsewhere = [source for source in sources("stream") if not source.path.startswith("stream/local/")]
    assert [line for source in elsewhere for line in strays(source)] == []


@pytest.mark.parametrize("text", ['Producer({"bootstrap.servers": settings.kafka})', "Redis.from_url(settings.redis)"])
def test_a_stray_is_seen(text: str) -> None:
    assert len(strays(parse("stream/ingest/a.py", text=text))) == 1
