"""What a person should hear of a file whose charts (``charts``) cannot be drawn."""

from __future__ import annotations

from collections.abc import Iterator

from detectors.calibration.blocks import LEAST_BLOCKS
from detectors.charts import river
from schemas.durations import duration_text
from schemas.monitored import ChartsMonitor, ModelMonitor
from schemas.reference import Reference


def uncharted(monitor: ModelMonitor, reference: Reference) -> Iterator[str]:
    """A warning where charts are asked for and a package, or the reference's time order, is missing."""
    asked = [one for one in _asked(monitor) if one.shewhart or one.rolling or one.river]
    if not asked:
        return
    if (lacking := lacks_river(monitor)) is not None:
        yield f"charts: {lacking} where workers run; there is none on this machine"
    panes = len(reference.pane_starts or ())
    if reference.pane_ms is None:
        yield (
            "charts: its reference has no time order, so nothing tells how far panes wander and there are none; "
            "`driftline reference build --time` names the column that gives one"
        )
    elif panes < LEAST_BLOCKS or monitor.pane_ms % reference.pane_ms:
        yield (
            f"charts: its reference has {panes} panes of {duration_text(reference.pane_ms)}, and {LEAST_BLOCKS} that make up those "
            f"of {duration_text(monitor.pane_ms)} are needed: there are none; build it with `--pane "
            f"{duration_text(monitor.pane_ms)}`, or of more rows"
        )


def lacks_river(monitor: ModelMonitor) -> str | None:
    """What is to be installed for the detectors of river that the file names; None where nothing is."""
    names = sorted({detector.name for charts in _asked(monitor) for detector in charts.river})
    return river.wanted(*names) if names and not river.is_installed() else None


def _asked(monitor: ModelMonitor) -> Iterator[ChartsMonitor]:
    yield monitor.charts
    yield from (feature.charts for feature in monitor.features.values() if feature.charts is not None)
