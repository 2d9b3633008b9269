"""The lineage: which node feeds which, and how far back the cause of a finding may lie.

Nodes are strings: ``source:<name>``, ``feature:<model>/<name>``, ``model:<model>``, ``host:<host>`` and ``gpu:<host>/<index>``.
Edges run from upstream sources to sources, from a source to the features that name it, from features to their model, and from a
host to the models that are served there and to its GPUs.  An edge has a lag: a fault upstream shows downstream no earlier than
its first number and no later than its second (ms of event time).  It is declared in the monitors file and only read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schemas.alertmanager import ALERT_LAG, ALERTMANAGER, GRAIN_MS, alerted_model
from schemas.gpus import FLEET, JUDGED_EVERY_MS, LATENESS_MS
from schemas.monitored import ModelMonitor, SourceMonitor

HOUR = 3_600_000
#: How long a source may take to hand on what it got.
SOURCE_LAG = (0, HOUR)
#: Of nodes that nobody declared, of which there is no end, so many are held.
ALERTS_HELD = 256


@dataclass(frozen=True, slots=True)
class Path:
    """From an ancestor to a node: the lag over all ways, and the edges of the shortest."""

    lo: int = 0
    hi: int = 0
    hops: int = 0

    def beyond(self, lag: tuple[int, int]) -> Path:
        """This path with one more edge before it."""
        return Path(self.lo + lag[0], self.hi + lag[1], self.hops + 1)

    def or_else(self, other: Path | None) -> Path:
        """Both ways are there."""
        if other is None:
            return self
        return Path(min(self.lo, other.lo), max(self.hi, other.hi), min(self.hops, other.hops))


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """A directed graph without cycles.

    ``panes``, ``latenesses`` and ``delays`` are each model's pane, its lateness, and how long its rules take to speak.  GPUs are
    watched whatever is declared; above one is its host, where a model says that it is served there, and else nothing.  Alerts of an
    Alertmanager are too: one which names a model is below that.
    """

    parents: Mapping[str, Mapping[str, tuple[int, int]]]
    model_of: Mapping[str, str]
    panes: Mapping[str, int]
    latenesses: Mapping[str, int]
    delays: Mapping[str, int]
    owners: Mapping[str, str]
    _above: dict[str, dict[str, Path]] = field(default_factory=dict, repr=False)
    _alerts: dict[str, dict[str, Path]] = field(default_factory=dict, repr=False)
    _children: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _below: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)
    _monitored: dict[str, Mapping[str, int]] = field(default_factory=dict, repr=False)
    _widest: dict[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, models: Mapping[str, ModelMonitor], sources: Mapping[str, SourceMonitor]) -> Lineage:
        """The lineage that a configuration declares.

        :raises ValueError: sources form a cycle.
        """
        parents = {node: dict(above) for node, above in _edges(models, sources)}
        built = cls(
            parents=parents,
            model_of=dict(_models(models)),
            panes={FLEET: JUDGED_EVERY_MS, ALERTMANAGER: GRAIN_MS}
            | {name: model.pane_ms for name, model in models.items()},
            latenesses={FLEET: LATENESS_MS} | {name: model.lateness_ms for name, model in models.items()},
            delays={name: model.step_ms + min(model.windows.values(), default=0) for name, model in models.items()},
            owners=dict(_owners(models, sources)),
        )
        for node, above in parents.items():
            for parent in above:
                built._children.setdefault(parent, set()).add(node)
        for name in sources:
            built.above(source_node(name))
            built.monitored_below(source_node(name))
        for name in models:
            built.widest(model_node(name))
        return built

    def above(self, node: str, _way: tuple[str, ...] = ()) -> Mapping[str, Path]:
        """The node itself and all that it is made from, each with its path to the node."""
        if node in _way:
            raise ValueError(f"lineage must not form a cycle: {' <- '.join((*_way, node))}")
        known = self._above if node in self.parents else self._alerts
        found = known.get(node)
        if found is None:
            found = {node: Path()}
            for parent, lag in self.parents_of(node).items():
                for ancestor, path in self.above(parent, (*_way, node)).items():
                    found[ancestor] = path.beyond(lag).or_else(found.get(ancestor))
            if len(self._alerts) >= ALERTS_HELD:
                self._alerts.clear()
            known[node] = found
        return found

    def parents_of(self, node: str) -> Mapping[str, tuple[int, int]]:
        """What the node is made from at once, each with its lag; of GPUs and alerts, which nobody declares, by their names."""
        host, model = host_of(node), alerted_model(node)
        if host is not None and host in self._children:
            return {host: (0, JUDGED_EVERY_MS)}
        if model is not None and model_node(model) in self.parents:
            return {model_node(model): ALERT_LAG}
        return self.parents.get(node, {})

    def below(self, node: str) -> frozenset[str]:
        """All that is made from the node, without itself."""
        found = self._below.get(node)
        if found is None:
            children = self._children.get(node, set())
            found = frozenset(children).union(*(self.below(child) for child in children))
            self._below[node] = found
        return found

    def widest(self, node: str) -> int:
        """The longest lag from anything that the node is made from."""
        found = self._widest.get(node)
        if found is None:
            found = self._widest[node] = max(path.hi for path in self.above(node).values())
        return found

    def monitored_below(self, node: str) -> Mapping[str, int]:
        """How many nodes below one are watched, by model; sources are watched only through features."""
        found = self._monitored.get(node)
        if found is None:
            found = Counter(self.model_of[below] for below in self.below(node) if below in self.model_of)
            self._monitored[node] = found
        return found


def source_node(name: str) -> str:
    """The node of a source."""
    return f"source:{name}"


def feature_node(model: str, name: str) -> str:
    """The node of a model's feature."""
    return f"feature:{model}/{name}"


def model_node(model: str) -> str:
    """The node of a model."""
    return f"model:{model}"


def host_node(host: str) -> str:
    """The node of a machine with GPUs."""
    return f"host:{host}"


def host_of(node: str) -> str | None:
    """The node of a GPU's host; None of what is no GPU.

    >>> host_of("gpu:rack/7/0"), host_of("model:gpu:a/0")
    ('host:rack/7', None)
    """
    return host_node(node.removeprefix("gpu:").rpartition("/")[0]) if node.startswith("gpu:") else None


def is_source(node: str) -> bool:
    """Whether a node is a source."""
    return node.startswith("source:")


def is_host(node: str) -> bool:
    """Whether a node is a machine with GPUs."""
    return node.startswith("host:")


Edges = tuple[str, dict[str, tuple[int, int]]]


def _edges(models: Mapping[str, ModelMonitor], sources: Mapping[str, SourceMonitor]) -> Iterator[Edges]:
    for name, source in sources.items():
        yield source_node(name), {source_node(upstream): SOURCE_LAG for upstream in source.upstream}
    for name, model in models.items():
        for feature, item in model.features.items():
            lag = (0, model.pane_ms)
            yield feature_node(name, feature), {source_node(item.source): lag} if item.source is not None else {}
        lag = (0, 2 * model.pane_ms)
        features = {feature_node(name, feature): lag for feature in model.features}
        yield model_node(name), features | {host_node(host): lag for host in model.serving.gpus}


def _models(models: Mapping[str, ModelMonitor]) -> Iterator[tuple[str, str]]:
    for name, model in models.items():
        yield model_node(name), name
        for feature in model.features:
            yield feature_node(name, feature), name


def _owners(models: Mapping[str, ModelMonitor], sources: Mapping[str, SourceMonitor]) -> Iterator[tuple[str, str]]:
    for name, source in sources.items():
        if source.owner is not None:
            yield source_node(name), source.owner
    for name, model in models.items():
        if model.owner is not None:
            yield model_node(name), model.owner
        for feature, item in model.features.items():
            owner = item.owner or model.owner
            if owner is not None:
                yield feature_node(name, feature), owner
