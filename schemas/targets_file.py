"""The shape of a targets file: what ``driftline scrape`` reads, how often, and which series mean what.

Strict like a monitors file: no other key anywhere.  A target's URL holds no secret, because it is a label of metrics.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from schemas.monitors_values import Finite, Key, Length, ModelName, Secret, Shape, Version

Kind = Literal["vllm", "triton", "torchserve", "dcgm", "custom"]

#: A series' name as Prometheus has it.
SeriesName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$")]
Factor = Annotated[Finite, Field(gt=0)]

#: More often than this a target is not asked.
SHORTEST_MS = 1_000


def _url(value: str) -> str:
    """Refusals do not quote what they refuse: it may hold a password."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise PydanticCustomError("secret", "must be a URL such as http://127.0.0.1:8000/metrics") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise PydanticCustomError("secret", "must be a URL such as http://127.0.0.1:8000/metrics (http or https)")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise PydanticCustomError("secret", "must hold no user, password or fragment; see bearer_token")
    if any(sign <= " " or sign == "\x7f" for sign in value):
        raise PydanticCustomError("secret", "must hold no blank or control character")
    return value


def _often(value: int) -> int:
    if value < SHORTEST_MS:
        raise PydanticCustomError("duration", "must be at least 1s")
    return value


Url = Annotated[str, AfterValidator(_url)]
Interval = Annotated[Length, AfterValidator(_often)]


class Signal(Shape):
    """A quantity by the names under which exporters have it."""

    names: Annotated[list[SeriesName], Field(min_length=1, max_length=20)]
    where: dict[Key, list[str]] = Field(default_factory=dict)
    times: Factor = 1.0


class ServingMap(Shape):
    """Requests of models: ``requests`` are all of them, or ``successes`` are those that did not fail."""

    model: list[Key] = Field(default_factory=list)
    version: list[Key] = Field(default_factory=list)
    requests: Signal | None = None
    successes: Signal | None = None
    errors: Signal | None = None
    latency: Signal | None = None
    input_tokens: Signal | None = None
    output_tokens: Signal | None = None

    def signals(self) -> dict[str, Signal]:
        """The quantities that the map names."""
        names = ("requests", "successes", "errors", "latency", "input_tokens", "output_tokens")
        return {name: found for name in names if (found := getattr(self, name)) is not None}


class GpuMap(Shape):
    """Samples of GPUs: the labels that say which one, and the gauges."""

    gpu: Key = "gpu"
    uuid: Key = "uuid"
    host: Key = "host"
    instance: Key | None = None
    metrics: dict[Key, Signal] = Field(default_factory=dict)


class NameMap(Shape):
    """What the series of a kind of exporter mean."""

    serving: ServingMap | None = None
    gpus: GpuMap | None = None

    def signals(self) -> list[Signal]:
        """Every quantity of the map."""
        found = list(self.serving.signals().values()) if self.serving else []
        return found + (list(self.gpus.metrics.values()) if self.gpus else [])


class WrittenTarget(Shape):
    """One exporter."""

    url: Url
    kind: Kind
    name: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")] | None = None
    every: Interval = 15_000
    timeout: Length | None = None
    models: dict[Key, ModelName] = Field(default_factory=dict)
    model: ModelName | None = None
    version: Version | None = None
    map: Key | None = None
    bearer_token: Secret | None = None


class TargetsFile(Shape):
    """The whole file."""

    version: Literal[1] = Field(1, alias="schema")
    targets: Annotated[list[WrittenTarget], Field(min_length=1, max_length=1000)]
    maps: dict[Key, NameMap] = Field(default_factory=dict)
