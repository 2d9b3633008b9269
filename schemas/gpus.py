"""A sample of a GPU: what an event of ``serving`` without a model says, as the program holds it.

Which measures there are is a closed list, in base units; an absent one was not measured, and is not zero.  A value that cannot
be one is left out and counted by reason, and the rest of the sample counts: drivers write huge integers where they mean blank.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from schemas.errors import RejectedEvent
from schemas.kinds import Serving

#: What findings about GPUs say in the place of a model; no model may be called so.
FLEET = "gpus"

#: They are judged by the minute, once events are no longer waited for.
JUDGED_EVERY_MS, LATENESS_MS = 60_000, 30_000

#: Every measure; those of ``WHOLE`` are whole numbers, those of ``SHARES`` lie between 0 and 1.
METRICS = (
    "utilization_ratio", "memory_utilization_ratio", "memory_used_bytes", "memory_free_bytes", "memory_total_bytes",
    "temperature_celsius", "memory_temperature_celsius", "power_watts", "power_limit_watts", "energy_joules",
    "sm_clock_hertz", "memory_clock_hertz", "throttle_reasons", "ecc_corrected", "ecc_uncorrected", "xid",
    "xid_errors", "processes", "available",
)  # fmt: skip
SHARES = frozenset({"utilization_ratio", "memory_utilization_ratio", "available"})
WHOLE = frozenset(
    {"throttle_reasons", "ecc_corrected", "ecc_uncorrected", "xid", "xid_errors", "processes", "available"}
)
#: No measure is so large: NVML writes 2**64 - 1 and the like for a value that it does not have, and all bits of 32 set.
HUGE, BLANK_32 = 2.0**62, 2.0**32 - 1
#: What no GPU does, with room; other measures have no end but ``HUGE``.
HIGHEST: Mapping[str, float] = {
    "temperature_celsius": 150, "memory_temperature_celsius": 150, "power_watts": 10_000, "power_limit_watts": 10_000,
    "sm_clock_hertz": 20e9, "memory_clock_hertz": 100e9, "xid": 65_535, "processes": 1_000_000,
} | dict.fromkeys(SHARES, 1)  # fmt: skip
#: A host's or a GPU's name is part of Redis keys.
LONGEST_NAME = 120

LeftOut = Literal["unknown", "not_finite", "negative", "huge", "out_of_range"]
#: Every reason for which a value of a sample is left out; a label value of metrics, so the list is closed.
LEFT_OUT: tuple[LeftOut, ...] = get_args(LeftOut)


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One GPU at one moment (epoch ms); ``gpu`` is its index on ``host``."""

    timestamp: int
    host: str
    gpu: str
    uuid: str | None = None
    metrics: dict[str, float] = msgspec.field(default_factory=dict)

    @property
    def name(self) -> str:
        """By which it is kept: its host and its uuid, or its index where no uuid is said."""
        return f"{self.host}/{self.uuid or self.gpu}"

    @property
    def subject(self) -> str:
        """The node that findings about it name: its place, which a new card in it keeps."""
        return f"gpu:{self.host}/{self.gpu}"

    def to_json(self) -> bytes:
        """The stored form, the same for the same content: samples of one moment are ordered by it."""
        return _ENCODER.encode(self)

    @staticmethod
    def from_json(stored: bytes) -> Sample:
        """What ``to_json`` wrote.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        return _DECODER.decode(stored)

    def memory_share(self) -> float | None:
        """The part of its memory that is in use; None where that was not measured."""
        total = self.metrics.get("memory_total_bytes")
        free = self.metrics.get("memory_free_bytes")
        used = self.metrics.get("memory_used_bytes", None if total is None or free is None else total - free)
        return None if not total or used is None else used / total


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER: msgspec.json.Decoder[Sample] = msgspec.json.Decoder(Sample)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sample, and how many of its values were left out, by reason."""

    sample: Sample
    left_out: Counter[LeftOut]


def sampled(event: Serving) -> Sampled:
    """The sample that an event without a model is.

    :raises RejectedEvent: it does not say which GPU of which host it is of, or in a name that is too long.
    """
    host, gpu = _name("host", event.host), _name("gpu", event.gpu)
    uuid = _name("uuid", event.uuid) if event.uuid else None
    metrics, left_out = measured(event.metrics)
    return Sampled(Sample(timestamp=event.timestamp_ms, host=host, gpu=gpu, uuid=uuid, metrics=metrics), left_out)


def measured(metrics: Mapping[str, float]) -> tuple[dict[str, float], Counter[LeftOut]]:
    """The values that can be believed, and why the others are left out.

    >>> kept, left = measured({"power_watts": 71.5, "xid": 2.0**64, "fan": 1.0, "processes": -1.0, "utilization_ratio": 97.0})
    >>> kept, sorted(left)
    ({'power_watts': 71.5}, ['huge', 'negative', 'out_of_range', 'unknown'])
    """
    kept: dict[str, float] = {}
    left_out: Counter[LeftOut] = Counter()
    for name, value in metrics.items():
        why = _wrong(name, value)
        if why is None:
            kept[name] = value
        else:
            left_out[why] += 1
    for name in _beyond_total(kept):
        del kept[name]
        left_out["out_of_range"] += 1
    return kept, left_out


def _beyond_total(kept: Mapping[str, float]) -> list[str]:
    """No more memory is used, or free, than there is."""
    total = kept.get("memory_total_bytes", math.inf)
    return [name for name in ("memory_used_bytes", "memory_free_bytes") if kept.get(name, 0.0) > total]


def _wrong(name: str, value: float) -> LeftOut | None:
    if name not in METRICS:
        return "unknown"
    if not math.isfinite(value):
        return "not_finite"
    if value < 0:
        return "negative"
    if value >= HUGE or value == BLANK_32:
        return "huge"
    return "out_of_range" if value > HIGHEST.get(name, HUGE) or (name in WHOLE and value % 1) else None


def _name(field: str, said: str | None) -> str:
    if not said:
        raise RejectedEvent("missing_field", field, "is missing: a sample says which GPU of which host it is of")
    if len(said) > LONGEST_NAME:
        raise RejectedEvent("too_large", field, f"has {len(said)} characters, at most {LONGEST_NAME}")
    return said.encode(errors="replace").decode()  # half a surrogate pair cannot be stored
