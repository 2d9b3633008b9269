"""docs/statistics.md: its table of river's detectors is the one in force."""

from __future__ import annotations

import re

from schemas.river import DETECTORS, Value
from tests.support.source import ROOT

TEXT = (ROOT / "docs" / "statistics.md").read_text()


def test_every_detector_of_river_stands_there_with_its_settings() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (values|errors) \| (.*) \|$", TEXT, re.MULTILINE)
    assert listed == [
        (
            name,
            detector.watches,
            ", ".join(f"`{key}` {_written(setting.default)}" for key, setting in detector.settings.items()),
        )
        for name, detector in DETECTORS.items()
    ]


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
