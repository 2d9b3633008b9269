"""The key ``charts`` of a monitors file: further charts of pane scores, for teams that know them.

What river would take and misread is refused here, in words; so is a detector that a pane cannot feed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from schemas.monitored import CHART_PANES, ChartsMonitor, RiverChart, RollingChart, ShewhartChart
from schemas.monitors_problems import did_you_mean
from schemas.monitors_values import Positive, Shape
from schemas.river import DETECTORS, Detector


def _refused(said: str) -> PydanticCustomError:
    return PydanticCustomError("detector", "{said}", {"said": said})


def _detector(value: object) -> object:
    """One of ``river``, checked before pydantic looks at it: which settings there may be depends on the name."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise _refused("must be a detector's name with its settings, such as {name: adwin, delta: 0.002}")
    name = value["name"]
    settings = {key: said for key, said in value.items() if key != "name"}
    detector = _named(name)
    for key in settings:
        if key not in detector.settings:
            hint = did_you_mean(str(key), detector.settings) or "."
            raise _refused(f"{name} has no setting {key!r}{hint} Allowed: {', '.join(detector.settings)}")
    try:
        detector.checked(settings, of=name)
    except ValueError as error:
        raise _refused(str(error)) from None
    _remembers(name, settings)
    return value


def _named(name: str) -> Detector:
    if name not in DETECTORS:
        hint = did_you_mean(name, DETECTORS) or "."
        raise _refused(f"no detector {name!r} of river is known{hint} Known: {', '.join(DETECTORS)}")
    return DETECTORS[name]


def _remembers(name: str, settings: Mapping[str, Any]) -> None:
    waits = DETECTORS[name].waits(settings)
    if waits > CHART_PANES:
        raise _refused(
            f"{name} would wait for {waits} values, and is sure to see {CHART_PANES} panes only: set less, "
            f"such as {CHART_PANES // 2}"
        )


def _once(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = [each["name"] for each in found]
    for name in names:
        if names.count(name) > 1:
            raise _refused(f"{name} stands twice, and its alarms could not be told apart: choose one")
    return found


def _wanted(value: object) -> object:
    """A key with nothing behind it asks for the chart as it comes."""
    return {} if value is None else value


class Shewhart(Shape):
    """An alarm at a pane whose score lies so many long-run sd off; a score counts as 10 at most."""

    width: Annotated[float, Field(gt=0, lt=10)] = 3.0


class Rolling(Shape):
    """An alarm at a pane so many sd off the mean of those before it, of which the newest weighs most."""

    weight: Annotated[float, Field(gt=0, lt=1)] = 0.05
    width: Positive = 3.0


class Charts(Shape):
    """Further charts; with nothing in it there are none, whatever is said above it."""

    shewhart: Annotated[Shewhart | None, BeforeValidator(_wanted)] = None
    rolling: Annotated[Rolling | None, BeforeValidator(_wanted)] = None
    river: Annotated[list[Annotated[dict[str, Any], BeforeValidator(_detector)]], AfterValidator(_once)] = Field(
        default_factory=list
    )

    def watched(self) -> ChartsMonitor:
        """As the rest of the program sees them."""
        return ChartsMonitor(
            shewhart=ShewhartChart(width=self.shewhart.width) if self.shewhart else None,
            rolling=RollingChart(weight=self.rolling.weight, width=self.rolling.width) if self.rolling else None,
            river=tuple(
                RiverChart(name=each["name"], settings={key: said for key, said in each.items() if key != "name"})
                for each in self.river
            ),
        )
