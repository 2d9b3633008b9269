"""Detectors of the package river, for teams that know them: where each alarms in a series of stored panes.

A detector of river keeps an object in memory.  Here nothing of it is kept: it is built anew and shown the stored series from the
beginning, so a restart, another worker or a corrected pane gives what an uninterrupted run would have given, and nothing is ever
unpickled.  For that every setting is passed on, so that no release changes a default, and KSWIN, which draws at random, draws from
a fixed seed.  After an alarm a detector begins from nothing.

Two families: ``page_hinkley``, ``adwin`` and ``kswin`` watch values, such as panes' means; ``ddm``, ``eddm``, ``hddm_a`` and
``hddm_w`` watch errors, 1 for a wrong prediction and 0 for a right one, in the order of the predictions.  What is missing (NaN, as
of a pane without rows) is not shown to them.  None of them promises a rate of false alarms; the charts beside them do.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from schemas.errors import DriftlineError
from schemas.river import DETECTORS, Detector, Value


class NoRiver(DriftlineError):
    """The package is not installed; the message says how to get it."""


def alarms(name: str, values: ArrayLike, **settings: Value) -> list[int]:
    """The positions at which a detector alarms, in a series that is replayed from its beginning.

    :param name: one of `DETECTORS`; ``settings``: river's own, where they differ from its defaults.
    :raises ValueError: no such detector or setting, a setting out of its range, a value that is infinite or no error.
    :raises NoRiver: river is not installed.

    >>> alarms("adwin", [0.0] * 300 + [1.0] * 300)
    [319]
    """
    shown = Shown(name, **settings)
    series = _series(values, DETECTORS[name])
    return [position for position, value in enumerate(series) if value == value and shown.alarms_at(value)]


class Shown:
    """A detector that begins with nothing and is shown one value after the other; it is not kept, but built anew.

    :raises ValueError: no such detector or setting, or a setting out of its range.
    :raises NoRiver: river is not installed.

    >>> shown = Shown("page_hinkley", threshold=2.0, min_instances=3)
    >>> [shown.alarms_at(value) for value in (0.0, 0.0, 0.0, 4.0, 4.0)]
    [False, False, False, True, False]
    """

    __slots__ = ("_detector",)

    def __init__(self, name: str, **settings: Value) -> None:
        detector = _named(name)
        self._detector = _built(detector, detector.checked(settings, of=name), name=name)

    def alarms_at(self, value: float) -> bool:
        """Whether it alarms at one more value, which is a number (a pane without rows is not shown)."""
        self._detector.update(value)
        return bool(self._detector.drift_detected)


def is_installed() -> bool:
    """Whether there is river on this machine; it is not loaded, which takes a second."""
    return find_spec("river") is not None


def wanted(*names: str) -> str:
    """What detectors need that is not there, for people.

    >>> wanted("adwin")
    'adwin needs the package river: install driftline with its extra `river`'
    """
    need = "needs" if len(names) == 1 else "need"
    return f"{', '.join(names)} {need} the package river: install driftline with its extra `river`"


def _named(name: str) -> Detector:
    if name not in DETECTORS:
        raise ValueError(f"no detector {name!r} of river is known here: choose one of {', '.join(DETECTORS)}")
    return DETECTORS[name]


def _series(values: ArrayLike, detector: Detector) -> list[float]:
    """The series as Python's floats: what river computes on does not depend on the array that it came in."""
    series = np.asarray(values, dtype=np.float64).reshape(-1)
    there = series[~np.isnan(series)]
    strange = there[~np.isin(there, (0.0, 1.0))] if detector.watches == "errors" else there[np.isinf(there)]
    if strange.size:
        wanted = "errors are 0 or 1" if detector.watches == "errors" else "values are finite"
        raise ValueError(f"{wanted}, or NaN where there is none, not {strange[0]:g}")
    found: list[float] = series.tolist()
    return found


def _built(detector: Detector, settings: dict[str, Value], *, name: str) -> Any:
    try:
        module = import_module(detector.module)
    except ModuleNotFoundError as missing:
        raise NoRiver(wanted(name)) from missing
    return getattr(module, detector.name)(**settings)
