"""Units that are mistaken for each other, as maps from the value that was meant to the one that was sent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Unit:
    """``scale * x + shift`` is sent where x was meant; ``words`` name what is sent and what was."""

    name: str
    scale: float
    shift: float
    words: str


def _pair(one: str, other: str, factor: float) -> tuple[Unit, Unit]:
    """What is x in ``one`` is ``factor`` x in ``other``."""
    return (
        Unit(f"{one}->{other}", factor, 0.0, f"{other} sent where {one} was"),
        Unit(f"{other}->{one}", 1.0 / factor, 0.0, f"{one} sent where {other} was"),
    )


def _power(exponent: int) -> Unit:
    times = f"10^{exponent}"
    meant = {2: ": per cent sent where a share was", -2: ": a share sent where per cent was"}
    meant |= {3: ": thousandths (ms, g, m) sent where whole units (s, kg, km) were"}
    meant |= {-3: ": whole units (s, kg, km) sent where thousandths (ms, g, m) were"}
    return Unit(f"x{times}", math.pow(10.0, exponent), 0.0, f"a factor of {times}{meant.get(exponent, '')}")


_CELSIUS = (
    Unit("degC->degF", 1.8, 32.0, "°F sent where °C was"),
    Unit("degF->degC", 1.0 / 1.8, -32.0 / 1.8, "°C sent where °F was"),
    Unit("degC->K", 1.0, 273.15, "K sent where °C was"),
    Unit("K->degC", 1.0, -273.15, "°C sent where K was"),
)
_POWERS = tuple(_power(exponent) for exponent in (-9, -6, -4, -3, -2, -1, 1, 2, 3, 4, 6, 9))
_PAIRS = (
    ("mi", "km", 1.609344),
    ("nmi", "km", 1.852),
    ("m", "ft", 1.0 / 0.3048),
    ("in", "cm", 2.54),
    ("kg", "lb", 1.0 / 0.45359237),
    ("m/s", "km/h", 3.6),
    ("gal", "l", 3.785411784),
    ("oz", "g", 28.349523125),
    ("min", "s", 60.0),
    ("h", "s", 3600.0),
    ("d", "h", 24.0),
    ("inHg", "hPa", 33.8638866667),
)
UNITS: tuple[Unit, ...] = (*_CELSIUS, *_POWERS, *chain.from_iterable(_pair(*pair) for pair in _PAIRS))
