"""The few kinds of panel that the dashboards are made of: each has a title, what it means, a unit, and queries of one Prometheus.

A query names the series it is about by ``HERE`` (the scraped processes that were chosen) or ``OF_MODEL`` (and the models), so that
every panel follows the variables of its dashboard; rates are over ``$__rate_interval``, which Grafana fits to the scrapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.builders import heatmap, stat, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

#: The scraped processes that were chosen, and of their series those of the models that were.
HERE = 'job=~"$job", instance=~"$instance"'
OF_MODEL = f'{HERE}, model_name=~"$model"'
SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
#: A row of a dashboard has so many columns.
ACROSS = 24
HEIGHT = 8


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says of itself."""

    title: str
    means: str
    unit: str


def lines(text: Text, *queries: tuple[str, str], width: int = 8) -> timeseries.Panel:
    """Series over time; of each query its PromQL, and how its series are called."""
    legend = common_builders.VizLegendOptions().show_legend(True).placement(common.LegendPlacement.BOTTOM)
    tooltip = common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    panel = timeseries.Panel().title(text.title).description(text.means).unit(text.unit).datasource(SOURCE)
    panel = panel.span(width).height(HEIGHT).legend(legend).tooltip(tooltip).fill_opacity(5).line_width(1)
    panel = panel.show_points(common.VisibilityMode.AUTO)
    for ref, query in _lettered(queries):
        panel = panel.with_target(_query(*query, ref=ref).range())
    return panel


def number(text: Text, query: str, *, steps: Sequence[tuple[float | None, str]] = ((None, "green"),)) -> stat.Panel:
    """One number, coloured from the value of each step on."""
    colours = [dashboard.Threshold(value=value, color=colour) for value, colour in steps]
    limits = boards.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(colours)
    panel = stat.Panel().title(text.title).description(text.means).unit(text.unit).datasource(SOURCE)
    panel = panel.span(4).height(HEIGHT // 2).thresholds(limits)
    newest = common_builders.ReduceDataOptions().calcs(["lastNotNull"])
    return (
        panel.graph_mode(common.BigValueGraphMode.AREA)
        .reduce_options(newest)
        .targets([_query(query, "", ref="A").range()])
    )


def heat(text: Text, query: str, *, width: int = 12) -> heatmap.Panel:
    """How a histogram's buckets filled over time."""
    panel = heatmap.Panel().title(text.title).description(text.means).unit(text.unit).datasource(SOURCE)
    target = _query(query, "{{le}}", ref="A").range().format(PromQueryFormat.HEATMAP)
    return panel.span(width).height(HEIGHT).calculate(False).targets([target])


def rows(text: Text, *queries: tuple[str, str], by: str) -> table.Panel:
    """A table with a row of each ``by`` and a column of each query, as of now."""
    panel = table.Panel().title(text.title).description(text.means).unit(text.unit).datasource(SOURCE)
    for ref, (query, _) in _lettered(queries):
        panel = panel.with_target(_query(query, "", ref=ref).instant().format(PromQueryFormat.TABLE))
    names = {f"Value #{ref}": name for ref, (_, name) in _lettered(queries)}
    joined = dashboard.DataTransformerConfig(id_val="joinByField", options={"byField": by, "mode": "outer"})
    called = dashboard.DataTransformerConfig(
        id_val="organize",
        options={"renameByName": names, "excludeByName": {f"Time {at}": True for at in range(1, 9)} | {"Time": True}},
    )
    return panel.span(ACROSS).height(HEIGHT).transformations([joined, called])


def _lettered(queries: Sequence[tuple[str, str]]) -> list[tuple[str, tuple[str, str]]]:
    return [(chr(ord("A") + at), query) for at, query in enumerate(queries)]


def _query(promql: str, legend: str, *, ref: str) -> Dataquery:
    return Dataquery().expr(promql).legend_format(legend).ref_id(ref).datasource(SOURCE)
