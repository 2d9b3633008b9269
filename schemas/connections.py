"""Whether what a process is told of its connections fits together: protocol, user, password and certificates.

>>> print(disagreement(Kafka("SASL_SSL", user="", passwords=0)))
DRIFTLINE_KAFKA_PROTOCOL is SASL_SSL, which needs DRIFTLINE_KAFKA_USER
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


@dataclass(frozen=True, slots=True)
class Kafka:
    """How Kafka is spoken to: whether a user is named, in how many places a password is, which files are named."""

    protocol: Protocol
    user: str = ""
    passwords: int = 0
    ca: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class RedisAt:
    """How Redis is spoken to: its address, whether a password's file is named, and which files of certificates."""

    url: str
    password_file: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""


def disagreement(said: Kafka | RedisAt) -> str | None:
    """What does not fit together, with the way out; None where all does."""
    return next(_of_kafka(said) if isinstance(said, Kafka) else _of_redis(said), None)


def _of_kafka(said: Kafka) -> Iterator[str]:
    is_named = {"USER": said.user, "PASSWORD (or _FILE)": said.passwords}
    if said.protocol.startswith("SASL"):
        yield from (_needs(said.protocol, name) for name, given in is_named.items() if not given)
        if said.passwords > 1:
            yield "DRIFTLINE_KAFKA_PASSWORD and DRIFTLINE_KAFKA_PASSWORD_FILE are both set, allowed: one of them"
    else:
        yield from (_idle(said.protocol, name, "SASL_SSL") for name, given in is_named.items() if given)
    if not said.protocol.endswith("SSL"):
        files = {"CA": said.ca, "CERT": said.cert, "KEY": said.key}
        yield from (_idle(said.protocol, name, "SSL or SASL_SSL") for name, given in files.items() if given)
    yield from _halves("KAFKA", said.cert, said.key)


def _of_redis(said: RedisAt) -> Iterator[str]:
    if not said.url.startswith("rediss"):
        for name, given in (("CA", said.ca), ("CERT", said.cert), ("KEY", said.key)):
            if given:
                yield f"DRIFTLINE_REDIS_{name} is set, and the address in DRIFTLINE_REDIS does not begin with rediss"
    if said.password_file and ":" in said.url.partition("://")[2].rpartition("@")[0]:
        yield "DRIFTLINE_REDIS_PASSWORD_FILE is set, and the address in DRIFTLINE_REDIS has a password: leave it out there"
    yield from _halves("REDIS", said.cert, said.key)


def _needs(protocol: str, name: str) -> str:
    return f"DRIFTLINE_KAFKA_PROTOCOL is {protocol}, which needs DRIFTLINE_KAFKA_{name}"


def _idle(protocol: str, name: str, allowed: str) -> str:
    return f"DRIFTLINE_KAFKA_{name} is set, and DRIFTLINE_KAFKA_PROTOCOL is {protocol}, which has no use for it: {allowed} has"


def _halves(service: str, cert: str, key: str) -> Iterator[str]:
    if bool(cert) != bool(key):
        yield f"DRIFTLINE_{service}_CERT and DRIFTLINE_{service}_KEY belong together; one of them is not set"
