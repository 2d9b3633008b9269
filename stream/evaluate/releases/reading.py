"""What both versions answered in a health window, from the panes that are counted by version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from detectors.bin_quantile import count_above, quantile
from schemas.names import Stream
from stream.evaluate.closing.arms_phases import ArmsPhase
from stream.evaluate.columns import arms as counted
from stream.evaluate.panes.tiers import tiers_of
from stream.evaluate.releases.window import Arm, Arms, HealthWindow, Sums
from stream.evaluate.storing.merged import Merged
from stream.state.arms import ArmName
from stream.state.layout import Layout
from stream.state.packing import Partial, empty

#: Where no one knows the least and the greatest latency.
UNKNOWN = (float("inf"), float("-inf"))
Panes = Mapping[Stream, Mapping[int, Partial]]


@dataclass(frozen=True, slots=True)
class Span:
    """A health window; the router could know its share from ``settled_ms`` on."""

    start_ms: int
    end_ms: int
    settled_ms: int


async def window_of(
    merged: Merged, phase: ArmsPhase, span: Span, *, streams: Iterable[Stream] | None = None
) -> HealthWindow:
    """From the closed panes that are stored; of some ``streams`` alone, the others are as if nothing had come."""
    panes: dict[Stream, Mapping[int, Partial]] = {}
    for stream in phase.streams if streams is None else streams:
        layout = phase.layouts.get(stream)
        if layout is not None:
            tier = tiers_of(layout.pane_ms)[0]
            panes[stream] = await merged.rows(layout, tier, span=(span.start_ms, span.end_ms))
    whole, settled = (arms_of(phase, panes, since_ms=since) for since in (span.start_ms, span.settled_ms))
    return HealthWindow(span.start_ms, span.end_ms, span.settled_ms, whole, settled)


def arms_of(phase: ArmsPhase, panes: Panes, *, since_ms: int) -> Arms:
    """Both versions in the panes that begin at a time or later."""
    totals = {stream: _total(phase.layouts[stream], of, since_ms=since_ms) for stream, of in panes.items()}
    one = partial(_arm, phase, totals)
    return Arms(champion=one("champion"), challenger=one("challenger"))


def _total(layout: Layout, panes: Mapping[int, Partial], *, since_ms: int) -> Partial:
    return sum((pane for start, pane in panes.items() if start >= since_ms), empty(layout.cells, len(layout.numeric)))


def _arm(phase: ArmsPhase, totals: Mapping[Stream, Partial], name: ArmName) -> Arm:
    """Requests, errors and latencies are of serving's stream, scores and ids of predictions."""
    of = {stream: counted.arm_of(phase.layouts[stream], total, name) for stream, total in totals.items()}
    served = of.get(phase.monitor.serving.stream)
    predicted, rated = of.get("predictions"), of.get(phase.ratings) if phase.ratings is not None else None
    limit = 0.0 if phase.release is None else phase.release.latency_p95_ms / 1000
    answers = Arm(
        rating=_sums(rated.rating) if rated is not None else Sums(),
        scores=tuple(predicted.score.counts.tolist()) if predicted is not None and predicted.score.n else (),
        ids=tuple(predicted.ids.tolist()) if predicted is not None else (),
        with_id=predicted.with_id if predicted is not None else 0,
    )
    if served is None:
        return answers
    latency = served.latency_s
    return replace(
        answers,
        requests=served.requests,
        errors=served.errors,
        latencies=latency.n,
        slow=round(count_above(latency.edges, latency.counts, limit, span=UNKNOWN)) if latency.n else 0,
        p95_s=quantile(latency.edges, latency.counts, 0.95, span=UNKNOWN) if latency.n else None,
        latency=_sums(latency),
    )


def _sums(quantity: counted.Quantity) -> Sums:
    return Sums(quantity.n, quantity.total, quantity.squares)
