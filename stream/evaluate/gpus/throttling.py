"""Why a GPU runs slower than it could, by NVML's bit mask (``nvmlClocksEventReasons``), as far as somebody should look."""

from __future__ import annotations

#: Idle, clocks that somebody set and the cap of a power limit are no trouble, and not here.
TROUBLE = {
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}


def troubles(mask: int) -> list[str]:
    """The reasons in a mask that are heat or a failing supply of power.

    >>> troubles(0x4 | 0x1), troubles(0x48), troubles(0x80)
    ([], ['hardware slowdown', 'hardware thermal slowdown'], ['hardware power brake'])
    """
    return [name for bit, name in TROUBLE.items() if mask & bit]
