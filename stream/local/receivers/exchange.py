"""A request to a recording receiver, its answer, and the faults it can be told to show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """What came: the path, the headers in lower case, and the body."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request.

    ``applied``: the vendor does what was asked and only the answer goes wrong; such a request is in doubt for who sent it.
    An ``answer`` of None: the connection is closed without one.
    """

    answer: Answer | None = None
    hang_s: float = 0.0
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One request as recorded; ``at_ms`` is wall-clock time, ``body`` without a secret."""

    at_ms: int
    method: str
    body: Mapping[str, Any]
    status: int
    said: str
    fault: bool = False


class Vendor(Protocol):
    """A vendor's rules and memory.  ``now_s`` is a monotonic clock."""

    name: str

    def answer(self, request: Request, now_s: float) -> Answer:
        """Do what is asked, if the rules allow."""

    def described(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """(method, body) for the record, without secrets."""


def dropped() -> Fault:
    """Received, done, and the connection closed without an answer."""
    return Fault(applied=True)


def lost() -> Fault:
    """The connection closed before anything was done."""
    return Fault()


def hanging(seconds: float, *, applied: bool = False) -> Fault:
    """No answer for so long, and then none."""
    return Fault(hang_s=seconds, applied=applied)


def answering(status: int, body: Mapping[str, Any] | None = None, **headers: str) -> Fault:
    """This answer, whatever was asked; ``Retry_After="3"`` is the header ``Retry-After``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(answer=Answer(status, body or {}, named))


def strict_json(text: bytes) -> Any:
    """JSON as the standard has it: no NaN, no infinity.

    :raises ValueError: it is none.
    """
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
