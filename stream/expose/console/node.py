"""Nodes of the lineage and states, as a page names them and where it links to."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.alertmanager import ALERTMANAGER, alerted_model
from schemas.gpus import FLEET
from stream.expose.console.format import named, segment

#: What each state is called on a page, and how grave it looks: ``good``, ``bad``, ``odd`` (needs a look) or ``quiet``.
TONES = {
    "ok": "good",
    "drift": "bad",
    "not_enough_data": "quiet",
    "no_traffic": "odd",
    "no_reference": "odd",
    "warming": "quiet",
    "stale": "odd",
    "not_registered": "odd",
    "firing": "bad",
    "no_data": "odd",
    "removed": "quiet",
    "pending": "quiet",
    "open": "bad",
    "recovering": "odd",
    "ended": "quiet",
    "lost": "bad",
    "silent": "odd",
}
#: The page of all GPUs.
GPUS = "/gpus"
#: Alerts have no other.
INCIDENTS = "/incidents"


@dataclass(frozen=True, slots=True)
class Node:
    """What a node is, its name, and its page (None: it has none)."""

    kind: str
    name: str
    href: str | None = None


def node_of(text: str) -> Node:
    """A node of the lineage.

    >>> node_of("source:weather-feed")
    Node(kind='source', name='weather-feed', href=None)
    >>> node_of("feature:flight-delay/temp").href
    '/models/flight-delay/features/temp'
    >>> node_of("unknown")
    Node(kind='', name='unknown', href=None)
    """
    kind, colon, name = text.partition(":")
    if not colon:
        return Node("", named(text))
    if kind == "model":
        return Node(kind, named(name), model_path(name))
    if kind == "feature" and "/" in name:
        model, _, feature = name.partition("/")
        return Node(kind, f"{named(model)} / {named(feature)}", feature_path(model, feature))
    alerted = alerted_model(text)
    if alerted is not None:
        return Node(kind, named(name), model_path(alerted))
    return Node(named(kind), named(name), GPUS if kind in ("gpu", "host") else None)


def model_path(model: str) -> str:
    """Where a model's page is; findings about GPUs, and alerts, stand under the name of one.

    >>> model_path("flight delay"), model_path("gpus")
    ('/models/flight%20delay', '/gpus')
    """
    if model == ALERTMANAGER:
        return INCIDENTS
    return GPUS if model == FLEET else f"/models/{segment(model)}"


def feature_path(model: str, feature: str) -> str:
    """Where a feature's page is."""
    return f"{model_path(model)}/features/{segment(feature)}"


def incident_path(ident: str) -> str:
    """Where an incident's page is."""
    return f"/incidents/{segment(ident)}"


def tone(state: str) -> str:
    """How grave a state looks; one that is not known needs a look."""
    return TONES.get(state, "odd")


def spoken(state: str) -> str:
    """A state in words.

    >>> spoken("not_enough_data")
    'not enough data'
    """
    return named(state).replace("_", " ")
