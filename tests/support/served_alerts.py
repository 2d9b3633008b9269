"""Histories of a model's requests in which alerts about errors and their budget fire at the end, and in which they do not."""

from __future__ import annotations

from tests.support.model_alerts import MOVED, OF_M, PANE, A, M, requests
from tests.support.promtool import Case, Minutes, flat, rising

FAST, SLOW, SLOWEST = ({"long": "1h", "short": "5m"}, {"long": "6h", "short": "30m"}, {"long": "3d", "short": "6h"})


def hourly(by: float, panes: int) -> list[float | str]:
    """A counter that steps once an hour, for that is when its pane is closed."""
    return [by * (minute // PANE) for minute in range(panes * PANE + 3)]


def once(count: float) -> list[float | str]:
    """A counter that steps once, twenty minutes before the end."""
    return [*flat(0, 30), *flat(count, 20)]


def burning(
    slo: str = "latency", *, allowed: float = 0.05, answered: Minutes | None = None, **by_window: float
) -> dict[str, Minutes]:
    """The burn rates that driftline itself says of a promise, and the requests that say how long they took."""
    name = f'driftline_slo_burn_rate{{{M},slo="{slo}",{A},window='
    rates: dict[str, Minutes] = {
        f'{name}"{window.removeprefix("w")}"}}': flat(rate, 12) for window, rate in by_window.items()
    }
    latency = f'model_inference_latency_seconds_bucket{{{M},service="api",{A},le='
    buckets = ("0.1", "0.5", "1.0", "2.0", "5.0", "10.0", "60.0", "+Inf")
    return {
        **rates,
        f'driftline_slo_allowed_ratio{{{M},slo="{slo}",{A}}}': flat(allowed, 12),
        **{f'{latency}"{le}"}}': rising(1e6, 12) if answered is None else answered for le in buckets},
    }


def of(slo: str, pair: dict[str, str]) -> dict[str, str]:
    """The labels of an alert on a budget."""
    return {**OF_M, "slo": slo, **pair}


FIRES: dict[str, list[Case]] = {
    "DriftlineModelErrors": [
        Case(requests(rising(90, 30), rising(10, 30)), [OF_M]),
        Case(requests(hourly(900, 3), hourly(100, 3)), [OF_M]),  # 55 minutes after nothing has stepped any more
        Case(requests(once(18), once(4)), [OF_M]),  # 22 in a pane
    ],
    "DriftlineModelFailing": [
        Case(requests(rising(40, 30), rising(60, 30)), [OF_M]),
        Case(requests(once(0), once(22)), [OF_M]),
    ],
    "DriftlineErrorBudgetBurn": [
        Case(requests(rising(10, 80), rising(90, 80)), [of("errors", FAST), of("errors", SLOW), of("errors", SLOWEST)]),
        # As long as those below, which promise something, beside them: they are other environments.
        Case(requests(rising(10, 12), rising(90, 12)), [of("errors", FAST), of("errors", SLOW), of("errors", SLOWEST)]),
        Case(burning(w5m=20, w30m=2, w1h=15, w6h=2, w3d=0.5), [of("latency", FAST)]),
        Case(burning(w5m=0, w30m=7, w1h=3, w6h=7, w3d=0.5), [of("latency", SLOW)]),
        Case(burning(w5m=0, w30m=0, w1h=0, w6h=1.5, w3d=1.5), [of("latency", SLOWEST)]),
        # 22 requests, of which every one failed: few, and beyond chance.
        Case(requests(once(0), once(22)), [of("errors", FAST), of("errors", SLOW), of("errors", SLOWEST)]),
        # Three in a hundred of a thousand failed where one in a thousand may: 30 where 1 is expected.
        Case(
            {
                **burning("errors", allowed=0.001, w5m=30, w30m=2, w1h=30, w6h=2, w3d=0.5),
                **requests(rising(97, 12), rising(3, 12)),
            },
            [of("errors", FAST)],
        ),
    ],
}

QUIET: dict[str, list[Case]] = {
    "DriftlineModelErrors": [
        Case(requests(rising(97, 30), rising(3, 30))),
        Case(requests(rising(97, 30))),  # a model that has never failed, without a series of errors
        Case(requests([*rising(5, 20), *rising(5, 20)], [*rising(0.1, 20), *rising(0.1, 20)])),  # counters begin anew
        Case(requests(once(2), once(1))),  # one of three failed
        Case(requests(once(16), once(2))),  # of 18
        Case(MOVED),
    ],
    "DriftlineModelFailing": [
        Case(requests(rising(60, 30), rising(40, 30))),
        Case(requests(once(0), once(1))),  # the only request of an hour failed
        Case(requests(once(0), once(16))),
        Case(MOVED),
    ],
    "DriftlineErrorBudgetBurn": [
        Case(requests(rising(96, 80), rising(4, 80))),  # 0.8 times what is allowed
        Case(burning(w5m=0, w30m=2, w1h=20, w6h=4, w3d=0.9)),  # an hour was bad, and it is over
        Case({**burning("errors", w5m=0, w30m=0, w1h=0, w6h=0, w3d=0), **requests(rising(96, 12), rising(4, 12))}),
        # Eight in a hundred fail, of which its own promise allows ten: what it does not say of three days no other limit says.
        Case({**burning("errors", allowed=0.1, w5m=0.8), **requests(rising(92, 12), rising(8, 12))}),
        # All fail, and its own promise says nothing yet of the long windows: no other says it in its place.
        Case({**burning("errors", allowed=0.04, w5m=25), **requests(flat(0, 12), rising(100, 12))}),
        Case(requests(once(2), once(1))),  # one of three failed, and it is 6.7 times what is allowed
        Case(requests(once(0), once(16))),  # all of 16: too few to say, whatever they are
        # One of thirty failed where one in a thousand may: 33 times as fast, and one service of thirty has that by chance.
        Case(
            {
                **burning("errors", allowed=0.001, w5m=33, w30m=33, w1h=33, w6h=33, w3d=33),
                **requests([*flat(0, 6), *flat(29, 6)], [*flat(0, 6), *flat(1, 6)]),
            }
        ),
        Case(requests(once(140), once(12))),  # 1.6 times as fast, over 152 requests
        # Of a million requests three said how long they took.
        Case(
            {
                **burning(w5m=20, w30m=20, w1h=20, w6h=20, w3d=20, answered=[*flat(0, 6), *flat(3, 6)]),
                **requests(rising(1e6, 12)),
            }
        ),
        Case(MOVED),
    ],
}
