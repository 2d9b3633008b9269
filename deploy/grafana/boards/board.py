"""A dashboard of driftline: its variables, how it links to the others, and that nobody edits it in Grafana (its code is here)."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

TAG = "driftline"
ALL = ".+"
#: The variable of dashboards that show models: how long their panes are.
PANE, PANES = "pane", ("1m", "5m", "15m", "1h")


def board(title: str, *, name: str, means: str) -> boards.Dashboard:
    """An empty one; ``name`` is its file's and, with ``driftline-`` before it, its address'."""
    others = boards.DashboardLink(TAG).type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True)
    made = boards.Dashboard(f"driftline / {title}").uid(f"driftline-{name}").description(means).tags([TAG]).readonly()
    made = (
        made.tooltip(dashboard.DashboardCursorSync.CROSSHAIR).time("now-6h", "now").refresh("30s").timezone("browser")
    )
    made = made.link(others.keep_time(True)).with_variable(_source())
    return made.with_variable(chosen("job", of="up")).with_variable(chosen("instance", of='up{job=~"$job"}'))


def with_row(made: boards.Dashboard, title: str, *panels: Builder[dashboard.Panel]) -> boards.Dashboard:
    """The dashboard with a titled row of panels more; what does not fit beside each other goes below."""
    made = made.with_row(boards.Row(title))
    for panel in panels:
        made = made.with_panel(panel)
    return made


def chosen(name: str, *, of: str, label: str = "") -> boards.QueryVariable:
    """A variable: any of the values that a label (by default called like it) has in the series of a query, or all."""
    every = dashboard.VariableOption(selected=True, text="All", value="$__all")
    variable = boards.QueryVariable(name).label(name).datasource(_ref()).multi(True).include_all(True).all_value(ALL)
    variable = variable.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED).current(every)
    return variable.sort(dashboard.VariableSort.ALPHABETICAL_ASC).query(f"label_values({of}, {label or name})")


def by_pane(made: boards.Dashboard) -> boards.Dashboard:
    """With the least step of its panels as a variable: series of a model move once a pane, and between two moves a rate is 0."""
    first = dashboard.VariableOption(selected=True, text=PANES[0], value=PANES[0])
    return made.with_variable(boards.CustomVariable(PANE).label("Pane").values(",".join(PANES)).current(first))


def _source() -> boards.DatasourceVariable:
    return boards.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _ref() -> dashboard.DataSourceRef:
    return dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
