"""Notifications as Alertmanager's webhook writes them."""

from __future__ import annotations

import json
from typing import Any

YEAR_1 = "0001-01-01T00:00:00Z"
BEGAN = "2026-11-22T01:00:00.123456789Z"
BEGAN_MS = 1_795_309_200_123


def alert(name: str = "QueueFull", *, status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert; its fingerprint follows from its name."""
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "critical", **labels},
        "annotations": {"summary": f"{name} since a while"},
        "startsAt": BEGAN,
        "endsAt": YEAR_1 if status == "firing" else "2026-11-22T01:30:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": f"{sum(map(ord, name)):016x}",
    }


def notification(*alerts: Any, **changed: Any) -> bytes:
    """A notification of these alerts."""
    whole = {
        "version": "4", "groupKey": '{}:{alertname="QueueFull"}', "truncatedAlerts": 0, "status": "firing",
        "receiver": "driftline", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": list(alerts),
    }  # fmt: skip
    return json.dumps(whole | changed).encode()
