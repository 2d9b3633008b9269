"""The shape of a monitors file: every key that may stand in it, and what each may hold.

Strict: no other key anywhere, no number in quotes, no text where a list belongs.  Keys that a later version brings
into force are part of the shape already, so a file written today keeps its meaning; :data:`LATER` names them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.charts_file import Charts
from schemas.monitored import Change, FeatureType, PredictionKind
from schemas.monitors_values import (
    Duration,
    Finite,
    HostName,
    Key,
    Length,
    ModelName,
    Period,
    Positive,
    Quota,
    Secret,
    Shape,
    Share,
    Skew,
    Version,
    WindowName,
)
from schemas.release_file import Release

#: Keys that are accepted and not acted on yet; ``*`` stands for any name.
LATER = (
    "times",
    "route.active",
    "route.mute",
    "route.routes.*.active",
    "route.routes.*.mute",
    "receivers.*.email",
    "receivers.*.webhook",
    "models.*.references",
    "models.*.shadow_of",
    "models.*.segments",
    "models.*.business",
    "models.*.playbooks",
)


class Budget(Shape):
    """How many false alarms a model may cause; thresholds follow from it."""

    false_pages_per_month: Positive | None = None
    fdr: Annotated[float, Field(gt=0, lt=1)] | None = None


class Fixed(Shape):
    """Fixed thresholds by statistic, for those who want the rules of thumb."""

    psi: Positive | None = None
    kl: Positive | None = None
    js: Positive | None = None
    hellinger: Positive | None = None
    tv: Positive | None = None
    wasserstein: Positive | None = None
    ks: Positive | None = None
    ks_p: Share | None = None
    chi2_p: Share | None = None
    z: Positive | None = None

    def given(self) -> dict[str, float]:
        """The thresholds that were set."""
        return self.model_dump(exclude_none=True)


class Timing(Shape):
    """Lengths of panes and windows, patience, and a quota of events: in ``defaults``, and again in any model."""

    pane: Length | None = None
    windows: Annotated[dict[WindowName, Length], Field(min_length=1)] | None = None
    step: Length | None = None
    lateness: Duration | None = None
    revise_within: Duration | None = None
    no_traffic_after: Length | None = None
    quota: Quota | None = None
    budget: Budget | None = None
    fixed: Fixed | None = None
    charts: Charts | None = None


class Source(Shape):
    """Where features come from; ``from`` names the sources it is made of."""

    upstream: list[str] = Field(default_factory=list, alias="from")
    owner: str | None = None
    description: str | None = None
    freshness_sla: Length | None = None
    null_threshold: Share | None = None
    slow_window: Length | None = None
    fixed: Fixed | None = None
    charts: Charts | None = None


class Feature(Shape):
    """One feature of a model."""

    type: FeatureType
    source: str | None = None
    importance: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    range: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None = None
    unit: str | None = None
    description: str | None = None
    computation: str | None = None
    version: Version | None = None
    changes: list[Change] = Field(default_factory=list)
    owner: str | None = None
    top: Annotated[int, Field(ge=1, le=10_000)] = 200
    hash: bool = False
    reference: Literal["fixed", "rolling"] = "fixed"
    null_threshold: Share | None = None
    freshness_sla: Length | None = None
    slow_window: Length | None = None
    skew: Skew | None = None
    fixed: Fixed | None = None
    charts: Charts | None = None


class Prediction(Shape):
    """What the model predicts."""

    kind: PredictionKind
    classes: list[str] = Field(default_factory=list)
    positive: str | None = None
    threshold: Finite | None = None


class Labels(Shape):
    """When labels come, and how they find their prediction."""

    expect_within: Duration | None = None
    join: Literal["id", "none"] = "id"


class Slo(Shape):
    """What serving promises: a share of errors, and a latency; a budget of bad requests lasts for ``period``."""

    errors: Share | None = None
    latency_p95: Length | None = None
    period: Period | None = None


class Serving(Shape):
    """Which stream requests, errors and latency are taken from, and the hosts whose GPUs serve it."""

    stream: Literal["predictions", "serving"] = Field("predictions", alias="from")
    slo: Slo | None = None
    gpus: list[HostName] = Field(default_factory=list)


class BusinessAlert(Shape):
    """Bounds of a business metric, as numbers or as shares ``of`` its reference."""

    below: Finite | None = None
    above: Finite | None = None
    of: Literal["reference"] | None = None


class Business(Shape):
    """A business metric: which events carry it, and when to say something."""

    on: Literal["predictions", "labels", "serving"]
    alert: BusinessAlert | None = None


class Playbook(Shape):
    """How far a playbook may act by itself."""

    approve: Literal["P0", "P1", "P2", "P3"] | None = None
    dry_run: bool = False
    enabled: bool = True


class Model(Timing):
    """One model."""

    reference: str = Field(min_length=1)
    references: dict[Key, str] = Field(default_factory=dict)
    service: str | None = None
    owner: str | None = None
    shadow_of: str | None = None
    timezone: str = "UTC"
    prediction: Prediction | None = None
    labels: Labels | None = None
    serving: Serving | None = None
    segments: Annotated[list[Key], Field(max_length=3)] = Field(default_factory=list)
    business: dict[Key, Business] = Field(default_factory=dict)
    features: dict[Key, Feature] = Field(default_factory=dict)
    playbooks: dict[Key, Playbook] = Field(default_factory=dict)
    duplicates: Share | None = None
    skew: Skew | None = None
    release: Release | None = None


class Route(Shape):
    """A node of the routing tree."""

    receiver: str | None = None
    match: list[str] = Field(default_factory=list)
    carry_on: bool = Field(False, alias="continue")
    open_wait: Duration | None = None
    update_interval: Length | None = None
    repeat_interval: Length | None = None
    active: str | None = None
    mute: str | None = None
    routes: list[Route] = Field(default_factory=list)


class PagerDuty(Shape):
    """A PagerDuty service."""

    routing_key: Secret


class Slack(Shape):
    """A Slack channel, by a bot's token."""

    token: Secret
    channel: str


class Alertmanager(Shape):
    """An Alertmanager, by its address, and the token that it wants, if it wants one."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=500)]
    token: Secret | None = None


class Email(Shape):
    """Addresses; the server comes from the settings unless named."""

    to: Annotated[list[str], Field(min_length=1)]
    sender: str | None = Field(None, alias="from")
    smtp: str | None = None
    password: Secret | None = None


class Webhook(Shape):
    """An address of your own; it is a secret, as whoever knows it may write there."""

    url: Secret


class Receiver(Shape):
    """Whom a route tells; with nothing in it, only the console shows it."""

    pagerduty: PagerDuty | None = None
    slack: Slack | None = None
    alertmanager: Alertmanager | None = None
    email: Email | None = None
    webhook: Webhook | None = None


class Times(Shape):
    """Hours of the week."""

    weekdays: str | None = None
    hours: str | None = None
    timezone: str = "UTC"


class Gpus(Shape):
    """When a GPU needs a look: a share of its memory in use, degrees Celsius, and for how long nothing may be heard of it."""

    memory: Annotated[float, Field(gt=0, le=1)] = 0.95
    temperature: Positive = 90.0
    silent_after: Length = 300_000


class MonitorsFile(Shape):
    """The whole file."""

    version: Literal[1] = Field(alias="schema")
    defaults: Timing = Timing()
    sources: dict[Key, Source] = Field(default_factory=dict)
    models: Annotated[dict[ModelName, Model], Field(min_length=1)]
    route: Route | None = None
    receivers: dict[Key, Receiver] = Field(default_factory=dict)
    times: dict[Key, Times] = Field(default_factory=dict)
    gpus: Gpus = Gpus()
