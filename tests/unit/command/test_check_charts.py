"""`driftline check-config` on the key ``charts``: what could not be drawn is said before a worker meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.charts import river
from detectors.profile import build_reference, panes_of
from schemas.reference import Reference
from tests.support.command import driftline
from tests.support.judged import HOUR, TEMP

MONITORS = """\
schema: 1
models:
  m:
    pane: 1h
    reference: m.json
    charts: {shewhart: {}, river: [{name: kswin}, {name: adwin}]}
    features: {temp: {type: numeric}}
"""


def warnings(folder: Path, reference: Reference, *, monitors: str = MONITORS) -> list[str]:
    (folder / "m.json").write_bytes(reference.to_json())
    (folder / "monitors.yaml").write_text(monitors)
    ended = driftline("check-config", str(folder / "monitors.yaml"))
    assert (ended.code, ended.err) == (0, "")
    return [line for line in ended.out.splitlines() if line.startswith("warning")]


def ordered(panes: int, *, pane_ms: int = HOUR) -> Reference:
    times = np.arange(len(TEMP), dtype=np.int64) * panes // len(TEMP) * pane_ms
    return build_reference("m", {"temp": TEMP}, panes=panes_of(times, pane_ms=pane_ms))


def test_what_can_be_drawn_is_no_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, ordered(40)) == []


def test_without_river_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(river, "find_spec", lambda name: None)
    assert warnings(tmp_path, ordered(40)) == [
        "warning: m: charts: adwin, kswin need the package river: install driftline with its extra `river` where workers run; "
        "there is none on this machine"
    ]
    fewer = MONITORS.replace(", river: [{name: kswin}, {name: adwin}]", "")
    assert warnings(tmp_path, ordered(40), monitors=fewer) == []


def test_a_reference_whose_panes_tell_nothing(tmp_path: Path) -> None:
    assert warnings(tmp_path, build_reference("m", {"temp": TEMP})) == [
        "warning: m: charts: its reference has no time order, so nothing tells how far panes wander and there are none; "
        "`driftline reference build --time` names the column that gives one"
    ]
    needed = "and 20 that make up those of 1h are needed: there are none; build it with `--pane 1h`, or of more rows"
    assert warnings(tmp_path, ordered(19)) == [f"warning: m: charts: its reference has 19 panes of 1h, {needed}"]
    assert warnings(tmp_path, ordered(40, pane_ms=2 * HOUR)) == [
        f"warning: m: charts: its reference has 40 panes of 2h, {needed}"
    ]


@pytest.mark.parametrize("charts", ["", "    charts: {}\n"])
def test_where_none_are_asked_for_nothing_is_said(tmp_path: Path, charts: str) -> None:
    plain = MONITORS.replace("    charts: {shewhart: {}, river: [{name: kswin}, {name: adwin}]}\n", charts)
    assert warnings(tmp_path, build_reference("m", {"temp": TEMP}), monitors=plain) == []
