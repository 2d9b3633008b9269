"""Detectors of river by replay: where they alarm on series without a random generator, and what is refused."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.charts.river import NoRiver, alarms
from schemas.river import DETECTORS

K = np.arange(1, 1201)
#: The series of NUMBERS.md: +1 from the 601st on.
VALUES = ((K * 0.6180339887498949) % 1 + (K * K * 0.4142135623730951) % 1 - 1) * np.sqrt(6) + (K > 600)
#: A model that is wrong once in ten times, and from the 601st prediction on once in three.
ERRORS = (np.where(K > 600, 1 / 3, 0.1) > (K * K * 0.4142135623730951) % 1).astype(float)


def series(name: str) -> NDArray[np.float64]:
    return VALUES if DETECTORS[name].watches == "values" else ERRORS


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("page_hinkley", [628]),
        ("adwin", [639]),
        ("kswin", [615, 960]),
        ("ddm", [674]),
        ("eddm", [671]),
        ("hddm_a", [682]),
        ("hddm_w", [715]),
    ],
)
def test_where_each_alarms_by_its_defaults(name: str, found: list[int]) -> None:
    assert alarms(name, series(name)) == found


@pytest.mark.parametrize("name", DETECTORS)
def test_the_defaults_are_those_of_river_and_only_warnings_are_left_out(name: str) -> None:
    theirs = inspect.signature(getattr(import_module(DETECTORS[name].module), DETECTORS[name].name)).parameters
    ours = {key: setting.default for key, setting in DETECTORS[name].settings.items()}
    assert {key: theirs[key].default for key in ours if key != "seed"} == {k: v for k, v in ours.items() if k != "seed"}
    assert set(theirs) - set(ours) <= {"warning_threshold", "warning_confidence", "window", *DETECTORS[name].fixed}


def test_a_fall_is_found_where_both_sides_are_watched() -> None:
    better = ERRORS[::-1]
    assert [alarms(name, better) for name in ("hddm_a", "hddm_w")] == [[], []]
    assert [alarms(name, better, two_sided_test=True) for name in ("hddm_a", "hddm_w")] == [[651], [639]]
    assert [alarms("page_hinkley", side * VALUES, mode="up") for side in (1, -1)] == [[628], []]
    assert [alarms("page_hinkley", side * VALUES, mode="down") for side in (1, -1)] == [[], [628]]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_replay_says_the_same_again_and_of_a_shorter_series_as_much_as_it_holds(name: str) -> None:
    whole = alarms(name, series(name))
    assert alarms(name, series(name)) == whole
    assert alarms(name, series(name)[:700]) == [at for at in whole if at < 700]


def test_what_kswin_draws_depends_on_its_seed_alone() -> None:
    assert [alarms("kswin", VALUES, seed=seed) for seed in (1, 2, 1)] == [[615, 960], [616], [615, 960]]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_pane_without_rows_keeps_its_place_and_is_not_shown(name: str) -> None:
    gaps = np.insert(series(name), 300, [np.nan, np.nan])
    assert alarms(name, gaps) == [at + 2 * (at >= 300) for at in alarms(name, series(name))]


@pytest.mark.parametrize("name", DETECTORS)
def test_nothing_and_what_never_changes_alarm_nowhere(name: str) -> None:
    constants = (0.0, 1.0) if DETECTORS[name].watches == "errors" else (0.0, -7.5, 1e300)
    assert alarms(name, []) == []
    assert [alarms(name, np.full(500, value)) for value in (*constants, np.nan)] == [[]] * (len(constants) + 1)


@pytest.mark.parametrize("name", DETECTORS)
def test_settings_at_the_ends_of_their_ranges_are_taken(name: str) -> None:
    for key, setting in DETECTORS[name].settings.items():
        ends = setting.choices or (1, 2) if isinstance(setting.default, str | int) else (1e-300, setting.default)
        ends = (True, False) if isinstance(setting.default, bool) else (*ends, *((0,) if setting.or_zero else ()))
        for value in (*ends, *((setting.most,) if setting.most == 1.0 else ())):
            given = {key: value} if key != "window_size" else {key: 2 * value, "stat_size": value}
            found = alarms(name, series(name), **given)
            assert found == sorted(set(found)), given


def test_settings_move_the_alarm() -> None:
    assert alarms("page_hinkley", VALUES, threshold=20.0) == [329, 607, 921, 1141]
    assert alarms("adwin", VALUES, clock=1) == [630]
    assert alarms("kswin", VALUES, alpha=1e-6, window_size=200, stat_size=50) == []
    assert alarms("ddm", ERRORS, drift_threshold=2) == [644]
    assert alarms("eddm", ERRORS, beta=0.96)[:2] == [241, 571]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("cusum", {}, "no detector 'cusum' of river is known here: choose one of page_hinkley, adwin"),
        ("adwin", {"threshold": 3.0}, "adwin has no setting 'threshold', but delta, clock"),
        ("adwin", {"delta": 5}, "adwin: delta is above 0 and at most 1, not 5"),
        ("adwin", {"delta": float("nan")}, "adwin: delta is above 0 and at most 1, not nan"),
        ("adwin", {"clock": 2.5}, r"adwin: clock is a whole number, not 2\.5"),
        ("adwin", {"clock": True}, "adwin: clock is a whole number, not True"),
        ("page_hinkley", {"threshold": 0}, "page_hinkley: threshold is above 0 and finite, not 0"),
        ("page_hinkley", {"threshold": 10**400}, "page_hinkley: threshold is above 0 and finite, not 1000"),
        ("page_hinkley", {"delta": -0.1}, r"page_hinkley: delta is 0 or above and finite, not -0\.1"),
        ("page_hinkley", {"threshold": "50"}, "page_hinkley: threshold is a number, not '50'"),
        ("page_hinkley", {"mode": "sideways"}, "page_hinkley: mode is one of both, up, down, not 'sideways'"),
        ("kswin", {"seed": None}, "kswin: seed is a whole number, not None"),
        ("kswin", {"stat_size": 60}, "kswin: window_size is at least twice stat_size, not 100 for 60"),
        ("hddm_a", {"two_sided_test": 1}, "hddm_a: two_sided_test is true or false, not 1"),
    ],
)
def test_what_river_would_misread_is_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alarms(name, VALUES, **settings)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("adwin", np.inf, "values are finite, or NaN where there is none, not inf"),
        ("ddm", 0.5, r"errors are 0 or 1, or NaN where there is none, not 0\.5"),
        ("hddm_w", -np.inf, "errors are 0 or 1"),
    ],
)
def test_a_value_that_is_none_is_refused(name: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alarms(name, [0.0, 1.0, value])


def test_without_river_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "river"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "river", None)
    with pytest.raises(NoRiver, match="adwin needs the package river: install driftline with its extra `river`"):
        alarms("adwin", VALUES)
