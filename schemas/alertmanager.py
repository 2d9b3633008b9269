"""Alertmanager's webhook as it is sent (version 4), and how its alerts are named inside.

An alert is filed under a model of its own, ``alertmanager``, whose event time is the clock of whoever takes the webhook: filed
under the model that it names, it would move that model's event time past what is not judged yet.  Its node names that model.
"""

from __future__ import annotations

from typing import Any

import msgspec

#: What findings about alerts say in the place of a model; no model may be called so.
ALERTMANAGER = "alertmanager"
#: Alerts come at any moment; of their time nothing finer is worth telling apart.
GRAIN_MS = 60_000
VERSION = "4"
#: How much later than a fault of its model an alert may begin: it waits for its own ``for`` and its range.
ALERT_LAG = (0, 30 * 60_000)
#: A label of every alert that driftline sends to an Alertmanager: what carries it is not taken back.
OWN_LABEL = "driftline_incident"
OWN_NAME = "DriftlineIncident"
#: Alerts on driftline's own series begin so.
OWN_PREFIX = "Driftline"
_KIND = "alert:"


class Webhook(msgspec.Struct, frozen=True, rename="camel"):
    """A notification; each alert is read by itself, so that one of another shape hurts no other."""

    version: str
    alerts: list[msgspec.Raw]
    truncated_alerts: int = 0
    external_url: str = msgspec.field(name="externalURL", default="")


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert of a notification; times are RFC 3339, that of an end which has not come is in the year 1."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: str = ""
    generator_url: str = msgspec.field(name="generatorURL", default="")
    fingerprint: str = ""


_WEBHOOK: msgspec.json.Decoder[Webhook] = msgspec.json.Decoder(Webhook)
_ALERT: msgspec.json.Decoder[Alert] = msgspec.json.Decoder(Alert)


def read_webhook(body: bytes) -> Webhook:
    """A request's body.

    :raises msgspec.DecodeError: it is no JSON, or of another shape (``ValidationError``).
    """
    return _WEBHOOK.decode(body)


def read_alert(written: Any) -> Alert:
    """One of its alerts.

    :raises msgspec.DecodeError: it is of another shape.
    """
    return _ALERT.decode(written)


def alert_node(model: str, name: str, fingerprint: str) -> str:
    """The node of an alert.

    >>> alert_node("flight-delay", "QueueFull", "5a1c93ddf0e1a2b3")
    'alert:flight-delay/QueueFull/5a1c93ddf0e1a2b3'
    """
    return f"{_KIND}{model}/{name}/{fingerprint}"


def alerted_model(node: str) -> str | None:
    """The model that an alert's node names; None for any other node.

    >>> alerted_model("alert:flight-delay/QueueFull/5a1c"), alerted_model("model:flight-delay")
    ('flight-delay', None)
    """
    return node.removeprefix(_KIND).partition("/")[0] if node.startswith(_KIND) else None
