"""What is watched, once a monitors file has been read: every default merged, every duration in milliseconds.

These are the models that travel: ``apply`` stores them in the configuration in force, workers read them
back from its JSON.  How the file itself is written is :mod:`schemas.monitors_file`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.release import ReleaseMonitor

PredictionKind = Literal["binary", "multiclass", "regression", "none"]
FeatureType = Literal["numeric", "categorical", "embedding"]
#: A chart that is asked for by name is built anew from so many panes, and from fewer than twice as many.
CHART_PANES = 256


class Frozen(BaseModel):
    """A value: not changed after it is built, and no key in it that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PredictionMonitor(Frozen):
    """What a model predicts.  ``positive`` is one of ``classes``; ``threshold`` divides a binary score."""

    kind: PredictionKind = "none"
    classes: tuple[str, ...] = ()
    positive: str | None = None
    threshold: float | None = None


class LabelsMonitor(Frozen):
    """How labels come: within what time, and whether they are joined to predictions by ``id``."""

    expect_within_ms: int | None = None
    join: Literal["id", "none"] = "id"


class ServingMonitor(Frozen):
    """Which stream requests, errors and latency are taken from (never from both), and what they should be."""

    stream: Literal["predictions", "serving"] = "predictions"
    error_rate: float | None = None
    latency_p95_ms: int | None = None
    #: For how long a budget of bad requests lasts.
    period_ms: int = 30 * 86_400_000
    #: Hosts on whose GPUs it is served, as samples of GPUs name them.
    gpus: tuple[str, ...] = ()


class Change(Frozen):
    """An entry of a feature's change record: when its definition changed, what did, and who changed it."""

    at: date
    what: str = Field(min_length=1)
    by: str | None = None


class ShewhartChart(Frozen):
    """An alarm at a pane whose score lies ``width`` long-run sd off."""

    width: float


class RollingChart(Frozen):
    """An alarm at a pane ``width`` sd off the mean of those before it, of which the newest weighs ``weight``."""

    weight: float
    width: float


class RiverChart(Frozen):
    """A detector of the package river, with the settings that differ from its defaults."""

    name: str
    settings: dict[str, float | int | str | bool] = Field(default_factory=dict)


class ChartsMonitor(Frozen):
    """Charts of pane scores that are asked for by name, beside those that are always there."""

    shewhart: ShewhartChart | None = None
    rolling: RollingChart | None = None
    river: tuple[RiverChart, ...] = ()


class FeatureMonitor(Frozen):
    """One feature; owner, freshness and nulls are inherited from its source where it says nothing itself.

    ``computation``, ``version`` and ``changes`` (newest first) are told to people and decide nothing.
    """

    type: FeatureType
    source: str | None = None
    importance: float | None = None
    range: tuple[float, float] | None = None
    unit: str | None = None
    description: str | None = None
    computation: str | None = None
    version: str | None = None
    changes: tuple[Change, ...] = ()
    top: int = 200
    hash: bool = False
    reference: Literal["fixed", "rolling"] = "fixed"
    owner: str | None = None
    null_threshold: float | None = None
    freshness_sla_ms: int | None = None
    slow_window_ms: int | None = None
    #: PSI that serving promises to stay within of the feature store; None: nothing is promised; off: they are not compared.
    skew: float | Literal["off"] | None = None
    fixed: dict[str, float] = Field(default_factory=dict)
    #: None: the model's.
    charts: ChartsMonitor | None = None


class BudgetMonitor(Frozen):
    """How many false pages a model may cause, and at what rate of false discoveries its report ranks features."""

    false_pages_per_month: float = 1.0
    fdr: float = 0.05


class ModelMonitor(Frozen):
    """One model.  Lengths are event time; only ``no_traffic_after_ms`` is a wall clock's."""

    pane_ms: int
    windows: dict[str, int]
    step_ms: int
    lateness_ms: int
    revise_within_ms: int
    no_traffic_after_ms: int | None = None
    #: Events a second that a worker counts of it while others wait; None: it is never put behind them.
    quota: float | None = None
    reference: Path
    references: dict[str, Path] = Field(default_factory=dict)
    service: str | None = None
    owner: str | None = None
    shadow_of: str | None = None
    timezone: str = "UTC"
    segments: tuple[str, ...] = ()
    prediction: PredictionMonitor = PredictionMonitor()
    labels: LabelsMonitor = LabelsMonitor()
    serving: ServingMonitor = ServingMonitor()
    features: dict[str, FeatureMonitor] = Field(default_factory=dict)
    #: Fixed thresholds by statistic, for the features and predictions that say nothing themselves.
    fixed: dict[str, float] = Field(default_factory=dict)
    #: Of the features that say nothing themselves, and of the prediction.
    charts: ChartsMonitor = ChartsMonitor()
    #: What decides where nothing is fixed; None: the rule of thumb does.
    budget: BudgetMonitor | None = None
    #: The largest share of predictions whose id came before; None: ids are not counted.
    duplicates: float | None = None
    #: Versions whose events are counted apart, beside all of them; None: none are.
    release: ReleaseMonitor | None = None


class GpuMonitor(Frozen):
    """When a GPU needs a look: a share of its memory, °C, and for how long nothing may be heard of it."""

    memory: float = 0.95
    temperature: float = 90.0
    silent_after_ms: int = 300_000


class RouteMonitor(Frozen):
    """A node of the routing tree: matchers as written (``severity="P0"``), first match wins unless ``carry_on``.

    Waits and intervals are inherited where they are None; ``receiver`` too.
    """

    receiver: str | None = None
    match: tuple[str, ...] = ()
    carry_on: bool = False
    open_wait_ms: int | None = None
    update_interval_ms: int | None = None
    repeat_interval_ms: int | None = None
    routes: tuple[RouteMonitor, ...] = ()


class SecretPlace(Frozen):
    """Where a secret is, a file or a variable of the environment; never the secret itself."""

    file: str | None = None
    env: str | None = None


class PagerDutyReceiver(Frozen):
    """A PagerDuty service, by where its integration key is."""

    routing_key: SecretPlace


class SlackReceiver(Frozen):
    """A Slack channel, and where a bot's token is."""

    token: SecretPlace
    channel: str


class AlertmanagerReceiver(Frozen):
    """An Alertmanager, and where a bearer token is that it wants, if it wants one."""

    url: str
    token: SecretPlace | None = None


class ReceiverMonitor(Frozen):
    """Whom a route tells; with nothing in it, only the console shows it."""

    pagerduty: PagerDutyReceiver | None = None
    slack: SlackReceiver | None = None
    alertmanager: AlertmanagerReceiver | None = None


class SourceMonitor(Frozen):
    """A node of the lineage: ``upstream`` are the sources it is made from."""

    upstream: tuple[str, ...] = ()
    owner: str | None = None


class Monitors(Frozen):
    """A whole file, read and checked.  ``later`` are the keys in it that nothing acts on yet."""

    file: Path
    sha256: str
    models: dict[str, ModelMonitor]
    sources: dict[str, SourceMonitor] = Field(default_factory=dict)
    route: RouteMonitor = RouteMonitor()
    receivers: dict[str, ReceiverMonitor] = Field(default_factory=dict)
    gpus: GpuMonitor = GpuMonitor()
    later: tuple[str, ...] = ()

    def not_in_force(self) -> list[str]:
        """Dotted keys that the file holds and nothing acts on yet, in the file's order."""
        return list(self.later)
