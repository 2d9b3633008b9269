"""How a model keeps its service levels: burn rates and what is left of the budget, as its newest complete pane leaves them.

The field ``service`` of the evaluation hash of the stream that serving is taken from (``docs/redis.md``), which the model's
metrics and the console page are made of.  Times are epoch milliseconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.findings import Value

SCHEMA = 1

#: What may be promised.
Slo = Literal["errors", "latency"]


class Level(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One promise: of the requests of its period such a share may be bad (``allowed``), and so many were.

    ``requests`` are those that the promise is about: all of them, or those with a latency.  ``left`` is the share of the
    budget that is not spent; below 0 the promise is broken.  ``burn`` is the burn rate by window: None of one without requests,
    and of the long window of a pair while nothing is known from before its short one.  ``firing``: those of the pairs that fire.
    """

    allowed: float
    requests: int
    bad: float
    left: float | None = None
    burn: dict[str, float | None] = msgspec.field(default_factory=dict)
    firing: list[str] = msgspec.field(default_factory=list)


class Perplexity(Value, frozen=True, kw_only=True):
    """The mean of ``n`` events of the newest shortest window."""

    mean: float
    n: int


class Service(Value, frozen=True, kw_only=True, omit_defaults=True):
    """``at`` is the end of the newest pane with an event, ``period`` how long a budget lasts; ``levels`` by what is promised.

    ``suspect``: what is probably wrong with the numbers themselves, such as ``milliseconds?``.
    """

    at: int
    period: int
    levels: dict[Slo, Level] = msgspec.field(default_factory=dict)
    perplexity: Perplexity | None = None
    suspect: str | None = None
    schema: int = SCHEMA


_DECODER = msgspec.json.Decoder(Service)


def encode(service: Service) -> bytes:
    """The stored form."""
    return msgspec.json.encode(service)


def decode(stored: bytes) -> Service:
    """What ``encode`` wrote.

    :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
    """
    return _DECODER.decode(stored)
