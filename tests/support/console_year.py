"""A year of a deployment as evaluation and the incident owner would leave it in Redis, for looking at the console.

Generated and deterministic: every day of 2013 a few hundred values of each feature are drawn around the reference's, shifted
where the year says so, counted on the reference's bins, and their index computed from these counts.  The newest day is also
stored as panes, so that its histograms agree with its report.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from detectors.edges import bin_of
from detectors.profile import Coded, build_reference
from detectors.profile import Column as Rows
from detectors.psi import driftline_categorical, driftline_numeric
from schemas.monitored import FeatureMonitor, ModelMonitor, Monitors, PredictionMonitor, SourceMonitor
from schemas.names import Names
from schemas.reference import CategoricalProfile, NumericProfile, Profile, Reference
from schemas.reports import Column, Measure, Report
from stream.state.columns import layouts_of
from stream.state.generations import publish
from stream.state.layout import EVENTS
from stream.state.packing import empty, pack
from stream.state.store import Checkpoint, PaneKey, PaneStore
from tests.support.console_reports import store_reports

HOUR = 3_600_000
DAY = 24 * HOUR
JANUARY = 1_356_998_400_000
DAYS = 365
END = JANUARY + DAYS * DAY
APPLIED = END + 2 * HOUR
ROWS = 900
PSI = 0.25
TOTALS: dict[Any, Any] = {
    "predictions:events": 336_776, "predictions:status:error": 1_347, "predictions:latency_s:0.01..0.025": 200_000,
    "predictions:latency_s:0.025..0.05": 110_000, "predictions:latency_s:0.05..0.075": 26_776,
    "predictions:latency_s:sum/1024": 8_000_000,
}  # fmt: skip
CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX")


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature of the year: where its values lie, and when they move: (first day, days of ramp, last day, by how many sd)."""

    source: str
    importance: float
    mean: float
    sd: float
    moves: tuple[tuple[int, int, int, float], ...] = ()

    def shift(self, day: int) -> float:
        """In standard deviations."""
        return sum(
            by * min(1.0, (day - first + 1) / ramp) for first, ramp, last, by in self.moves if first <= day < last
        )


NUMBERS: Mapping[str, Feature] = {
    "temp": Feature("weather-feed", 0.31, 54.0, 17.0, ((90, 8, 112, -0.5), (331, 12, 400, -1.1))),
    "sched_min": Feature("schedule-db", 0.20, 795.0, 281.0, ((236, 1, 251, 0.75),)),
    "dewp": Feature("weather-feed", 0.12, 41.0, 19.0, ((331, 16, 400, -0.9),)),
    "humid": Feature("weather-feed", 0.07, 61.0, 19.0, ((336, 14, 400, 0.62),)),
    "pressure": Feature("weather-feed", 0.05, 1017.9, 7.4, ((150, 5, 165, 0.7),)),
    "distance": Feature("schedule-db", 0.05, 1048.0, 735.0, ((240, 1, 251, 0.6),)),
    "visib": Feature("weather-feed", 0.04, 9.2, 1.8),
    "wind_speed": Feature("weather-feed", 0.04, 11.1, 5.6, ((60, 1, 63, 1.0),)),
    "seats": Feature("fleet-registry", 0.02, 136.0, 70.0),
}
CARRIER = FeatureMonitor(type="categorical", source="schedule-db", importance=0.06)


def monitor() -> ModelMonitor:
    """Day and week windows, judged daily."""
    features = {
        name: FeatureMonitor(type="numeric", source=one.source, importance=one.importance, owner="data-platform")
        for name, one in NUMBERS.items()
    }
    return ModelMonitor(
        pane_ms=HOUR, windows={"day": DAY, "week": 7 * DAY}, step_ms=DAY, lateness_ms=2 * HOUR,
        revise_within_ms=30 * DAY, reference=Path("flights.json"), service="flight-api", owner="ml-flights",
        features=features | {"carrier": CARRIER},
        prediction=PredictionMonitor(kind="binary", classes=("on_time", "delayed"), positive="delayed", threshold=0.5),
    )  # fmt: skip


def reference(model: str = "flight-delay") -> Reference:
    """20 000 rows drawn from the year's undisturbed values."""
    draw = np.random.default_rng(1)
    columns: dict[str, Rows] = {name: draw.normal(one.mean, one.sd, 20_000).round(2) for name, one in NUMBERS.items()}
    columns["carrier"] = Coded(CARRIERS, draw.choice(len(CARRIERS), 20_000, p=_carriers(0.0)))
    return build_reference(model, columns, score=draw.beta(2.0, 6.0, 20_000))


def _carriers(shift: float) -> NDArray[np.float64]:
    weights = np.array([17.5, 16.3, 16.2, 14.4, 9.8, 7.9, 6.1, 5.5, 3.6, 1.5])
    weights[3] *= 1 + 2 * shift
    weights[1] /= 1 + 4 * shift
    parts: NDArray[np.float64] = weights / weights.sum()
    return parts


def day_counts(profiles: Reference, day: int, *, calm: bool = False) -> dict[str, NDArray[np.int64]]:
    """Counts of one day by feature, on the reference's bins; a ``calm`` model's values never move."""
    draw = np.random.default_rng([day, calm])
    found = {}
    for name, one in NUMBERS.items():
        values = draw.normal(one.mean + (0.0 if calm else one.shift(day)) * one.sd, one.sd, ROWS)
        found[name] = _binned(profiles.features[name], values)
    drawn = draw.choice(len(CARRIERS), ROWS, p=_carriers(0.5 if 300 <= day < 322 and not calm else 0.0))
    known = _categories(profiles.features["carrier"])
    found["carrier"] = np.array([np.count_nonzero(drawn == CARRIERS.index(name)) for name in known], dtype=np.int64)
    assert profiles.score is not None
    found["score"] = _binned(profiles.score, draw.beta(2.0 + (0.8 if day > 338 and not calm else 0.0), 6.0, ROWS))
    return found


def _binned(profile: Profile, values: NDArray[np.float64]) -> NDArray[np.int64]:
    assert isinstance(profile, NumericProfile)
    return np.bincount(bin_of(values, np.array(profile.edges)), minlength=len(profile.counts))


def _categories(profile: Profile) -> tuple[str, ...]:
    assert isinstance(profile, CategoricalProfile)
    return profile.categories


def column(profile: Profile, counts: NDArray[np.int64]) -> Column:
    """A column's verdict by the fixed threshold."""
    numeric = isinstance(profile, NumericProfile)
    value = (
        driftline_numeric(profile, counts)
        if isinstance(profile, NumericProfile)
        else driftline_categorical(profile, counts)
    )
    over = value is not None and value > PSI
    n = int(counts.sum())
    expected = float((np.count_nonzero(counts) - 1) * (1 / n + 1 / profile.rows))
    p = float(np.exp(-0.5 * (value or 0.0) / expected))
    measures = {
        "psi": Measure(value, expected=expected, threshold=PSI, exceeded=over),
        "ks" if numeric else "chi2": Measure(None if value is None else 0.4 * value**0.5, p_value=p),
    }
    return Column("drift" if over else "ok", n, profile.rows, n_eff=n * 0.7, missing_ratio=0.004, measures=measures)


def report(
    model: str, window: str, end: int, *, profiles: Reference, counts: Mapping[str, NDArray[np.int64]]
) -> Report:
    """The judgement of one window."""
    columns = {name: column(profile, counts[name]) for name, profile in profiles.features.items()}
    assert profiles.score is not None
    importance = {name: one.importance for name, one in NUMBERS.items()} | {"carrier": 0.06}
    heavy = sum(importance[name] for name, one in columns.items() if one.state == "drift")
    layout = layouts_of(model, monitor(), profiles, digest=profiles.hash)["predictions"]
    serving = {
        "error_ratio": Measure(0.004),
        "latency_p95_s": Measure(0.061 + 0.001 * (end // DAY % 7)),
    }
    return Report(
        model=model, stream="predictions", window=window, start=end - (DAY if window == "day" else 7 * DAY), end=end,
        seen=end + 2 * HOUR, state="drift" if heavy else "ok", events=int(sum(counts["score"])), late=3,
        reference=profiles.hash, layout=layout.hash, generation=1, features=columns,
        prediction={"score": column(profiles.score, counts["score"])}, serving=serving,
        drift_score=heavy / sum(importance.values()),
    )  # fmt: skip


async def fill(redis: Redis, names: Names, models: Mapping[str, bool], *, days: int = DAYS) -> None:
    """Generation, reports and history of ``models`` (name -> whether it is calm), and the first one's newest day as panes."""
    profiles = {model: reference(model) for model in models}
    sources = {"noaa-feed": SourceMonitor(), "weather-feed": SourceMonitor(upstream=("noaa-feed",))}
    watched = Monitors(
        file=Path("m.yaml"), sha256="f" * 64, models=dict.fromkeys(models, monitor()),
        sources=sources | {"schedule-db": SourceMonitor(), "fleet-registry": SourceMonitor()},
    )  # fmt: skip
    await publish(redis, names, watched, references=profiles, now_ms=APPLIED, clock_ms=None)
    for model, calm in models.items():
        await _judge(redis, names, profiles[model], calm=calm, days=days)
    await store_day(redis, names, profiles[next(iter(models))], day=DAYS - 1)


async def _judge(redis: Redis, names: Names, profiles: Reference, *, calm: bool, days: int) -> None:
    counted = [day_counts(profiles, day, calm=calm) for day in range(DAYS - days, DAYS)]
    made: list[Report] = []
    for at in range(len(counted)):
        end = END - (len(counted) - 1 - at) * DAY
        last = counted[max(0, at - 6) : at + 1]
        week = {name: np.sum([one[name] for one in last], axis=0) for name in counted[at]}
        for window, counts in (("day", counted[at]), ("week", week)):
            made.append(report(profiles.model, window, end, profiles=profiles, counts=counts))
    await store_reports(redis, names, made)
    await redis.hset(names.totals(profiles.model), mapping=TOTALS)


async def store_day(redis: Redis, names: Names, profiles: Reference, *, day: int) -> None:
    """One day as a single pane of partition 0, counted as a worker counts."""
    model = profiles.model
    layout = layouts_of(model, monitor(), profiles, digest=profiles.hash)["predictions"]
    partial, counts = empty(layout.cells, len(layout.numeric)), day_counts(profiles, day)
    partial.cells[EVENTS] = ROWS
    for place, first in zip(layout.numeric, layout.numeric_starts, strict=True):
        if place.name in counts:
            partial.cells[first : first + place.bins] = counts[place.name]
    for named, first in zip(layout.categorical, layout.categorical_starts, strict=True):
        if named.name in counts:
            partial.cells[first : first + named.bins] = counts[named.name]
    store = PaneStore(redis, names, keep_ms=400 * DAY)
    partition = zlib.crc32(model.encode()) % 4
    epoch, _ = await store.take("predictions", partition, group="g", take_over=False, now_ms=APPLIED)
    await store.note_owner("predictions", partition, owner="worker-1:4711")
    await store.resume("predictions", partition, epoch=epoch, fields={"next": 0})
    pane = PaneKey("predictions", partition, 0, layout, JANUARY + day * DAY), pack(partial)
    fields, rejected = {"clock": END - 60_000}, {"rejected:not_json": 2}
    assert await store.checkpoint(
        [Checkpoint("predictions", partition, epoch, 0, 336_776, fields, rejected, [pane])]
    ) == ["stored"]
