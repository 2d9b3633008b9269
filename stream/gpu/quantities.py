"""What is measured of a GPU: its name in events and series, what NVML calls it, the unit, and what may be believed.

NVML fills what it does not know with huge integers, and now and then answers nonsense.  Such a value is left out and counted by
reason: a reader takes an absent value for unknown, and a wrong one for true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from stream.gpu.library import Question

#: Why a value is not believed; a label value, so the list is closed.
Disbelief = Literal["blank", "not_a_number", "out_of_range", "inconsistent", "too_many"]
DISBELIEFS: tuple[Disbelief, ...] = get_args(Disbelief)

#: From here on a 64-bit number is NVML's (or DCGM's) way of writing "blank".
BLANK = 1 << 62
#: All bits set: ``(unsigned)-1`` of 32 and of 64 bits.
BLANKS = {(1 << 32) - 1, (1 << 64) - 1}


@dataclass(frozen=True, slots=True)
class Quantity:
    """``key`` is the name in events, and in series behind ``nvidia_gpu_``; in its unit a value is ``raw · times / per``."""

    key: str
    asked: Question
    raw: str
    means: str
    times: int = 1
    per: int = 1
    lowest: int = 0
    highest: int = BLANK - 1


QUANTITIES = (
    Quantity(
        "utilization_ratio", "utilization", "utilization_percent", per=100, highest=100,
        means="Share of NVML's last sampling period in which a kernel ran.",
    ),
    Quantity(
        "memory_utilization_ratio", "utilization", "memory_utilization_percent", per=100, highest=100,
        means="Share of NVML's last sampling period in which memory was read or written.",
    ),
    Quantity("memory_used_bytes", "memory", "memory_used_bytes", "Memory that is taken, the driver's own with it."),
    Quantity("memory_free_bytes", "memory", "memory_free_bytes", "Memory that is free."),
    Quantity("memory_total_bytes", "memory", "memory_total_bytes", "Memory that the GPU has.", lowest=1),
    Quantity("temperature_celsius", "temperature", "temperature_celsius", "Temperature of the die.", highest=150),
    Quantity(
        "memory_temperature_celsius", "memory_temperature", "memory_temperature_celsius", "Temperature of the memory.",
        highest=150,
    ),
    Quantity("power_watts", "power", "power_milliwatts", "Power drawn.", per=1000, highest=10_000_000),
    Quantity(
        "power_limit_watts", "power_limit", "power_limit_milliwatts", "Limit of power in force.",
        per=1000, lowest=1, highest=10_000_000,
    ),
    Quantity("energy_joules", "energy", "energy_millijoules", "Energy used since the driver was loaded.", per=1000),
    Quantity(
        "sm_clock_hertz", "sm_clock", "sm_clock_megahertz", "Clock of the multiprocessors.",
        times=1_000_000, highest=20_000,
    ),
    Quantity(
        "memory_clock_hertz", "memory_clock", "memory_clock_megahertz", "Clock of the memory.",
        times=1_000_000, highest=100_000,
    ),
    Quantity("throttle_reasons", "throttle_reasons", "throttle_reasons", "NVML's bit mask of why clocks are held down."),
    Quantity(
        "ecc_corrected", "ecc_corrected", "ecc_corrected", "Errors of memory corrected since the driver was loaded."
    ),
    Quantity(
        "ecc_uncorrected", "ecc_uncorrected", "ecc_uncorrected",
        "Errors of memory not corrected since the driver was loaded.",
    ),
    Quantity("processes", "processes", "processes", "Processes that hold memory of the GPU.", highest=1_000_000),
)  # fmt: skip


def disbelief(quantity: Quantity, raw: object) -> Disbelief | None:
    """Why a raw value cannot be believed; None where it can.

    >>> power = next(one for one in QUANTITIES if one.key == "power_watts")
    >>> disbelief(power, 412_345), disbelief(power, 0xFFFFFFFF), disbelief(power, 10**9), disbelief(power, "high")
    (None, 'blank', 'out_of_range', 'not_a_number')
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        return "not_a_number"
    if raw >= BLANK or raw in BLANKS:
        return "blank"
    return None if quantity.lowest <= raw <= quantity.highest else "out_of_range"


def in_its_unit(quantity: Quantity, raw: float) -> float:
    """A raw value in the unit of the quantity's name.

    >>> by_key = {one.key: one for one in QUANTITIES}
    >>> in_its_unit(by_key["power_watts"], 412_345), in_its_unit(by_key["sm_clock_hertz"], 1980)
    (412.345, 1980000000)
    """
    return raw / quantity.per if quantity.per > 1 else raw * quantity.times
