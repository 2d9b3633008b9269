"""Which detectors of river there are here, by the name a user gives, and what their settings may be.

The table is closed: a setting that river would take and misread (a share of 5, a window shorter than what is drawn from it) is
refused in words, before river is asked.  Settings of warnings are left out, as warnings are not told.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = float | int | str | bool

_MANY, _LARGEST = 1e9, sys.float_info.max
#: Settings that count values which must be seen before there can be an alarm.
_WAITS = ("min_instances", "warm_start", "clock", "min_window_length", "grace_period", "window_size")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a setting may be: of its default's type; a number above 0 and at most ``most``, or 0 too; a text one of ``choices``."""

    default: Value
    most: float = math.inf
    or_zero: bool = False
    choices: tuple[str, ...] = ()

    def wanted(self, value: object) -> str | None:
        """What a value would have to be, where it is something else.

        >>> Setting(0.5, most=1.0).wanted(2), Setting(30).wanted(2.5), Setting(30).wanted(2)
        ('above 0 and at most 1', 'a whole number', None)
        """
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else "true or false"
        if isinstance(self.default, str):
            return None if value in self.choices else f"one of {', '.join(self.choices)}"
        return self._wanted_number(value)

    def _wanted_number(self, value: object) -> str | None:
        if isinstance(self.default, int) and (isinstance(value, bool) or not isinstance(value, int)):
            return "a whole number"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "a number"
        inside = 0 < value <= min(self.most, _LARGEST) or (self.or_zero and value == 0)
        return None if inside else self._range()

    def _range(self) -> str:
        least = "0 or above" if self.or_zero else "above 0"
        return f"{least} and finite" if math.isinf(self.most) else f"{least} and at most {self.most:g}"


@dataclass(frozen=True, slots=True)
class Detector:
    """One of river's: where it is, what it watches, the settings that decide when it alarms, and what it needs besides."""

    module: str
    name: str
    watches: Literal["values", "errors"]
    settings: Mapping[str, Setting]
    fixed: Mapping[str, Value] = field(default_factory=dict)

    def checked(self, given: Mapping[str, Value], *, of: str) -> dict[str, Value]:
        """All settings, the given ones in place of river's defaults.

        :raises ValueError: a setting that it has not, or a value that is out of its range.
        """
        for name, value in given.items():
            if name not in self.settings:
                raise ValueError(f"{of} has no setting {name!r}, but {', '.join(self.settings)}")
            wanted = self.settings[name].wanted(value)
            if wanted is not None:
                raise ValueError(f"{of}: {name} is {wanted}, not {value!r}")
        found = {name: given.get(name, setting.default) for name, setting in self.settings.items()}
        _draw_fits(found, of=of)
        return {**found, **self.fixed}

    def waits(self, given: Mapping[str, Value]) -> int:
        """How many values it must see before it can alarm.

        >>> DETECTORS["adwin"].waits({}), DETECTORS["adwin"].waits({"clock": 8})
        (32, 10)
        """
        found = {name: given.get(name, setting.default) for name, setting in self.settings.items()}
        return max((int(value) for name, value in found.items() if name in _WAITS), default=0)


def _draw_fits(settings: Mapping[str, Value], *, of: str) -> None:
    """KSWIN draws ``stat_size`` values without putting any back from those before the last ``stat_size``."""
    window, drawn = settings.get("window_size", math.inf), settings.get("stat_size", 0)
    if 2 * float(drawn) > float(window):
        raise ValueError(f"{of}: window_size is at least twice stat_size, not {window} for {drawn}")


_WARM_UP, _CONFIDENCE, _TWO_SIDED = Setting(30, most=_MANY), Setting(0.001, most=1.0), Setting(False)
_VALUES, _ERRORS = "river.drift", "river.drift.binary"

DETECTORS: Mapping[str, Detector] = {
    "page_hinkley": Detector(
        _VALUES,
        "PageHinkley",
        "values",
        {
            "min_instances": _WARM_UP,
            "delta": Setting(0.005, or_zero=True),
            "threshold": Setting(50.0),
            "alpha": Setting(1 - 0.0001, most=1.0),
            "mode": Setting("both", choices=("both", "up", "down")),
        },
    ),
    "adwin": Detector(
        _VALUES,
        "ADWIN",
        "values",
        {
            "delta": Setting(0.002, most=1.0),
            "clock": Setting(32, most=_MANY),
            "max_buckets": Setting(5, most=_MANY),
            "min_window_length": Setting(5, most=_MANY),
            "grace_period": Setting(10, most=_MANY, or_zero=True),
        },
    ),
    "kswin": Detector(
        _VALUES,
        "KSWIN",
        "values",
        {
            "alpha": Setting(0.005, most=1.0),
            "window_size": Setting(100, most=_MANY),
            "stat_size": Setting(30, most=_MANY),
            "seed": Setting(1, most=_MANY, or_zero=True),
        },
    ),
    "ddm": Detector(_ERRORS, "DDM", "errors", {"warm_start": _WARM_UP, "drift_threshold": Setting(3.0)}),
    "eddm": Detector(
        _ERRORS,
        "EDDM",
        "errors",
        {"warm_start": _WARM_UP, "beta": Setting(0.9, most=1.0)},
        fixed={"alpha": 1.0},  # where warnings begin, and never below ``beta``
    ),
    "hddm_a": Detector(_ERRORS, "HDDMA", "errors", {"drift_confidence": _CONFIDENCE, "two_sided_test": _TWO_SIDED}),
    "hddm_w": Detector(
        _ERRORS,
        "HDDMW",
        "errors",
        {"drift_confidence": _CONFIDENCE, "lambda_val": Setting(0.05, most=1.0), "two_sided_test": _TWO_SIDED},
    ),
}
