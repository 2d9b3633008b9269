"""Histories in which an alert about the webhook fires at the end, and histories in which it does not."""

from __future__ import annotations

from tests.support.promtool import Case, Minutes, flat, rising

HOOK = {"job": "driftline-webhook"}
AT = 'job="driftline-webhook",instance="h:8791"'
UP = f"up{{{AT}}}"
STATUSES = ("200", "400", "401", "408", "413", "503")


def answered(status: str, *, failing: float = 0.0) -> dict[str, Minutes]:
    """So many notifications were taken a minute, and some were answered with another status; all are there from the start."""
    found: dict[str, Minutes] = {
        f'driftline_webhook_requests_total{{status="{one}",{AT}}}': flat(0, 40) for one in STATUSES
    }
    found[f'driftline_webhook_requests_total{{status="200",{AT}}}'] = rising(2, 40)
    found[f'driftline_webhook_requests_total{{status="{status}",{AT}}}'] = rising(1, 40)
    found[f"driftline_webhook_publish_failures_total{{{AT}}}"] = rising(failing, 40)
    return found


def left_out(reason: str, count: float, *, truncated: float = 0.0) -> dict[str, Minutes]:
    """Alerts that were not taken, ten minutes before the end, and that Alertmanager left out."""
    refused = {one: flat(0, 40) for one in ("shape", "status", "own")} | {reason: [*flat(0, 30), *flat(count, 10)]}
    return {
        **{f'driftline_webhook_refused_alerts_total{{reason="{one}",{AT}}}': found for one, found in refused.items()},
        f"driftline_webhook_truncated_alerts_total{{{AT}}}": [*flat(0, 30), *flat(truncated, 10)],
    }


FIRES: dict[str, list[Case]] = {
    "DriftlineWebhookDown": [
        Case({UP: [*flat(1, 30), *flat(0, 6)]}, [{**HOOK, "instance": "h:8791"}]),
        Case(
            {UP: [*flat(1, 30), *flat(0, 300)]}, [{**HOOK, "instance": "h:8791"}]
        ),  # five hours later it is still down
    ],
    "DriftlineWebhookNotPublishing": [Case(answered("503", failing=5), [HOOK])],
    "DriftlineWebhookRefuses": [
        *(Case(answered(status), [{**HOOK, "status": status}]) for status in ("400", "401", "408", "413")),
        Case(answered("503"), [{**HOOK, "status": "503"}]),  # the token cannot be read
    ],
    "DriftlineWebhookAlertsLost": [
        Case(left_out("shape", 1), [HOOK]),
        Case(left_out("status", 1), [HOOK]),
        Case(left_out("own", 0, truncated=3), [HOOK]),
    ],
}

QUIET: dict[str, list[Case]] = {
    "DriftlineWebhookDown": [
        Case({UP: flat(0, 90)}),  # there is none
        Case({UP: [*flat(1, 30), 0, 0, 1, 0, 0]}),
        Case({UP: [*flat(1, 30), *flat(0, 1500)]}),  # it was taken away a day ago
        Case({'up{job="driftline",instance="a:8780"}': [*flat(1, 30), *flat(0, 6)]}),
    ],
    "DriftlineWebhookNotPublishing": [
        Case(answered("401")),
        Case({f"driftline_webhook_publish_failures_total{{{AT}}}": [*flat(0, 30), *flat(2, 10)]}),  # and Kafka was back
        Case({f"driftline_webhook_publish_failures_total{{{AT}}}": [*flat(9, 30), *flat(0, 10)]}),  # started anew
    ],
    "DriftlineWebhookRefuses": [Case(answered("200")), Case(answered("503", failing=5))],
    "DriftlineWebhookAlertsLost": [Case(left_out("own", 9))],
}
