"""Detectors of river that watch errors, by the file: they see which panes are further than one long-run sd off."""

from __future__ import annotations

import numpy as np

from detectors.charts.river import alarms
from schemas.monitored import ChartsMonitor, RiverChart
from tests.unit.evaluate.charts.test_charts import walked
from tests.unit.evaluate.charts.test_named import named, said, shifts


def test_detectors_of_errors_are_shown_which_panes_are_beyond_one_sd() -> None:
    names = ("ddm", "eddm", "hddm_a", "hddm_w")
    of = named(ChartsMonitor(river=tuple(RiverChart(name=name) for name in names)))
    charts = walked(of, shifts((0.0, 200), (3.0, 100)))[-1].charts
    errors = np.abs(charts.recent.newest(300)[:, 0]) > 1.0
    ago = {rule: value for rule, _, _, value, *_ in said(charts)}
    for name in names:
        raised = alarms(name, errors.astype(float))
        assert 200 <= raised[-1] < 300, name
        assert ago[name][0] == 299 - raised[-1]
