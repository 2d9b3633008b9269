"""What one scrape says of a target's requests: cumulative counters and histograms by model, version and quantity.  Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from schemas.targets import Target
from schemas.targets_file import ServingMap, Signal
from stream.scraping.broken import Broken
from stream.scraping.exposition import Families, Labels, Sample, finite

#: Quantities that are numbers of requests.
COUNTED = ("requests", "successes", "errors", "failures")
STARTED = "process_start_time_seconds"
#: Of one target.
MOST_SERIES, LONGEST_LABEL = 20_000, 1_024


class Owner(NamedTuple):
    """Whose requests they are, in driftline's names."""

    model: str
    version: str | None = None


class Series(NamedTuple):
    """One cumulative counter or histogram of a target."""

    owner: Owner
    quantity: str
    labels: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Meter:
    """A sum, or observations in buckets: ``counts`` of each bucket by itself, the last one above every bound.

    Without bounds there are no counts, and ``total`` is all that is known; with them it may be None.
    """

    total: float | None
    bounds: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One scrape: every meter, and when the target's process began, where it says so."""

    meters: Mapping[Series, Meter]
    started: float | None = None


def names_read(serving: ServingMap) -> set[str]:
    """The families that a reading is made of."""
    return {STARTED, *(name for signal in serving.signals().values() for name in signal.names)}


def reading(found: Families, serving: ServingMap, target: Target) -> Reading:
    """What the families say.

    :raises Broken: a value is no counter's, a histogram does not hold together, or there is too much of it.
    """
    owner = _owners(serving, target)
    meters: dict[Series, Meter] = {}
    for name, signal in serving.signals().items():
        # Beside successes, errors are further requests; beside all requests they are some of them.
        quantity = "failures" if name == "errors" and serving.successes is not None else name
        for series, meter in _meters(found, quantity, signal=signal, owner=owner):
            meters[series] = meter
            if len(meters) > MOST_SERIES:
                raise Broken("too_large", f"more than {MOST_SERIES} series are read")
    started = [sample.value for sample in found.get(STARTED, ()) if math.isfinite(sample.value)]
    return Reading(meters, started[0] if len(started) == 1 else None)


def _owners(serving: ServingMap, target: Target) -> Callable[[Labels], Owner | None]:
    """Whose a series is by its labels; None: nobody's."""

    def owner(labels: Labels) -> Owner | None:
        if target.model is not None:
            return Owner(target.model, target.version)
        named = _first(labels, serving.model)
        model = named if target.models is None else target.models.get(named)
        return Owner(model, _first(labels, serving.version) or target.version) if model else None

    return owner


def _first(labels: Labels, names: Iterable[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _meters(
    found: Families, quantity: str, *, signal: Signal, owner: Callable[[Labels], Owner | None]
) -> Iterator[tuple[Series, Meter]]:
    name = next((name for name in signal.names if name in found), None)
    groups: dict[Series, list[Sample]] = {}
    for sample in found.get(name or "", ()):
        whose = owner(sample.labels) if _kept(sample, signal) else None
        if whose is not None:
            labels = frozenset(pair for pair in sample.labels.items() if pair[0] != "le")
            groups.setdefault(Series(whose, quantity, labels), []).append(sample)
    for series, samples in groups.items():
        meter = _count(samples) if quantity in COUNTED else _meter(samples, times=signal.times)
        if meter is not None:
            yield series, meter


def _kept(sample: Sample, signal: Signal) -> bool:
    if any(len(value) > LONGEST_LABEL for value in sample.labels.values()):
        raise Broken("too_large", f"a label of {sample.name[:200]} has more than {LONGEST_LABEL} signs")
    return all(sample.labels.get(label) in values for label, values in signal.where.items())


def _meter(samples: list[Sample], *, times: float) -> Meter | None:
    """Of a histogram its buckets, of a summary its sum, of a counter its value; None where only other parts are there."""
    buckets = [sample for sample in samples if sample.name.endswith("_bucket") and "le" in sample.labels]
    total = next((finite(sample) * times for sample in samples if sample.name.endswith("_sum")), None)
    if buckets:
        return _histogram(buckets, total=total, times=times)
    if total is not None:
        return Meter(total)
    plain = next((sample for sample in samples if _is_plain(sample)), None)
    return None if plain is None else Meter(finite(plain) * times)


def _count(samples: list[Sample]) -> Meter | None:
    """How many: the value of a counter, or how many a histogram or a summary observed."""
    counts = (sample for sample in samples if sample.name.endswith("_count") or sample.labels.get("le") == "+Inf")
    found = next(counts, None) or next((sample for sample in samples if _is_plain(sample)), None)
    return None if found is None else Meter(finite(found))


def _is_plain(sample: Sample) -> bool:
    return "quantile" not in sample.labels and not sample.name.endswith(("_bucket", "_sum", "_count"))


def _histogram(buckets: list[Sample], *, total: float | None, times: float) -> Meter:
    name = buckets[0].name[:200]
    try:
        upto = sorted((float(sample.labels["le"]), finite(sample)) for sample in buckets)
    except ValueError:
        raise Broken("bad_histogram", f"{name} has a bound that is no number") from None
    bounds = [bound for bound, _ in upto]
    if bounds[-1] != math.inf or any(b <= a or math.isnan(b) for a, b in pairwise(bounds)):
        raise Broken("bad_histogram", f"{name} has no bucket for everything, or bounds that do not rise")
    counts = [upto[0][1], *(after - before for (_, before), (_, after) in pairwise(upto))]
    if min(counts) < 0:
        raise Broken("bad_histogram", f"{name} has fewer in a wider bucket")
    return Meter(total, tuple(bound * times for bound in bounds[:-1]), tuple(counts))
