"""The monitors file as the rest of the program sees it: :func:`load_monitors`, and the models it returns.

What is watched is described in :mod:`schemas.monitored`; how a file is written, in
:mod:`schemas.monitors_file`.
"""

from __future__ import annotations

from schemas.monitored import (
    FeatureMonitor,
    LabelsMonitor,
    ModelMonitor,
    Monitors,
    PredictionMonitor,
    ServingMonitor,
    SourceMonitor,
)

__all__ = [
    "FeatureMonitor",
    "LabelsMonitor",
    "ModelMonitor",
    "Monitors",
    "PredictionMonitor",
    "ServingMonitor",
    "SourceMonitor",
]
