"""A finding by its labels, as a person types them; what they leave open is as the configuration has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import typer

from alerting.lineage import feature_node, model_node, source_node
from alerting.silences import LABELS
from schemas.alertmanager import ALERTMANAGER
from schemas.findings import KIND_CLASS, SEVERITIES, Finding, Kind, Onset, Severity, finding_key
from schemas.gpus import FLEET
from schemas.monitored import ModelMonitor, SourceMonitor
from schemas.monitors_problems import did_you_mean

#: What routes may match of a finding, as far as a person may say it.
KNOWN = ("severity", *(label for label in LABELS if label not in ("incident", "class")))
#: Rules that are called otherwise than what they find.
_RULES: Mapping[str, str] = {"error": "errors", "stale": "freshness", "prediction_drift": "drift"}
#: By rule, what it finds; rules of drift find it in columns and in predictions.
_BY_RULE: Mapping[str, Kind] = {
    _RULES.get(kind, kind): kind for kind in KIND_CLASS if kind not in ("drift", "prediction_drift")
}
#: What driftline files under models of its own.
_OWN: Mapping[str, Kind] = {FLEET: "gpu", ALERTMANAGER: "external"}


def labels_of(words: Iterable[str]) -> dict[str, str]:
    """``LABEL=VALUE`` pairs, quotes around a value left out.

    :raises typer.BadParameter: one is no pair, is no label that routes match, or comes twice.

    >>> labels_of(['severity="P1"', "model=churn"])
    {'severity': 'P1', 'model': 'churn'}
    """
    found: dict[str, str] = {}
    for word in words:
        label, sign, value = word.partition("=")
        if not sign or label.endswith(("!", "~")) or value.startswith("~"):
            raise typer.BadParameter(f"{word!r} is no LABEL=VALUE, such as severity=P1")
        if label == "class":
            raise typer.BadParameter("class follows from kind: give kind=KIND instead")
        if label not in KNOWN:
            said = did_you_mean(label, KNOWN)
            raise typer.BadParameter(f"no finding has the label {label!r}{said}; there are {', '.join(KNOWN)}")
        if label in found:
            raise typer.BadParameter(f"{label} is given twice")
        found[label] = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return found


def finding_of(
    labels: Mapping[str, str],
    models: Mapping[str, ModelMonitor],
    sources: Mapping[str, SourceMonitor],
    *,
    at: int,
    onset_ms: int | None,
) -> Finding:
    """The finding that these labels say, firing at an event time; it began within ``onset_ms`` before, or the model's pane.

    :raises typer.BadParameter: no such finding can come up under this configuration.
    """
    severity = _one_of("severity", labels.get("severity"), SEVERITIES)
    name = _model(labels, models)
    monitor = models.get(name)
    feature, source = _feature(labels, monitor, name), labels.get("source")
    if monitor is not None and feature is not None:
        source = source or monitor.features[feature].source
    if source is not None and source not in sources:
        raise typer.BadParameter(f"no source is called {source!r}{did_you_mean(source, sources)}{_there_are(sources)}")
    kind = _kind(labels, has_column=feature is not None or source is not None)
    rule = labels.get("rule") or _RULES.get(kind, kind)
    subject = labels.get("subject") or _subject(name, feature, source)
    if name == FLEET and "subject" not in labels:
        raise typer.BadParameter("subject=… is missing: what is found of GPUs is about gpu:HOST/INDEX or host:HOST")
    window = labels.get("window") or _window(kind, monitor)
    began = onset_ms if onset_ms is not None else monitor.pane_ms if monitor is not None else 60_000
    return Finding(
        key=finding_key(rule, subject, segment=labels.get("segment"), window=window),
        rev=(at, 0), state="firing", model=name, rule=rule, kind=kind, subject=subject, severity=cast(Severity, severity),
        at=at, seen=at, onset=Onset(at - began, at), segment=labels.get("segment"), window=window, feature=feature,
        source=source, owner=labels.get("owner") or _owner(monitor, feature, sources.get(source or "")),
    )  # fmt: skip


def _model(labels: Mapping[str, str], models: Mapping[str, ModelMonitor]) -> str:
    name = labels.get("model")
    if name is None:
        if len(models) != 1:
            raise typer.BadParameter(f"model=… is missing: every finding has one{_there_are(models)}")
        return next(iter(models))
    if name not in models and name not in _OWN:
        raise typer.BadParameter(f"no model is called {name!r}{did_you_mean(name, models)}{_there_are(models)}")
    return name


def _feature(labels: Mapping[str, str], monitor: ModelMonitor | None, model: str) -> str | None:
    feature = labels.get("feature")
    declared = monitor.features if monitor is not None else {}
    if feature is not None and feature not in declared:
        said = did_you_mean(feature, declared)
        raise typer.BadParameter(f"model {model!r} has no feature {feature!r}{said}{_there_are(declared)}")
    return feature


def _kind(labels: Mapping[str, str], *, has_column: bool) -> Kind:
    usual = _OWN.get(labels.get("model", "")) or ("drift" if has_column else "prediction_drift")
    said = labels.get("kind") or _BY_RULE.get(labels.get("rule", ""), usual)
    return cast(Kind, _one_of("kind", said, KIND_CLASS))


def _one_of(label: str, value: str | None, allowed: Iterable[str]) -> str:
    if value is None:
        raise typer.BadParameter(f"{label}=… is missing: every finding has one of {', '.join(allowed)}")
    if value not in allowed:
        raise typer.BadParameter(f"{label}={value} is none of {', '.join(allowed)}")
    return value


def _subject(model: str, feature: str | None, source: str | None) -> str:
    if feature is not None:
        return feature_node(model, feature)
    return source_node(source) if source is not None else model_node(model)


def _window(kind: Kind, monitor: ModelMonitor | None) -> str | None:
    judged = KIND_CLASS[kind] in ("data", "model")
    return next(iter(monitor.windows), None) if judged and monitor is not None else None


def _owner(monitor: ModelMonitor | None, feature: str | None, source: SourceMonitor | None) -> str | None:
    if monitor is None:
        return None
    if feature is not None:
        return monitor.features[feature].owner or monitor.owner
    return (source.owner if source is not None else None) or monitor.owner


def _there_are(names: Iterable[str]) -> str:
    found = sorted(names)
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return f"; there are {', '.join(found[:10])}{more}" if found else "; there is none"


def shown_labels(finding: Finding) -> Iterator[str]:
    """What routes see of a finding."""
    return (f'{name}="{value}"' for name, value in finding.labels.items())
