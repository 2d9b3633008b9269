"""What must be stored of a list of records, counted one value at a time by plain Python, and what is stored, byte by byte.

Nothing of the product is imported: layouts are read as the JSON that Redis holds, panes by the format that ``docs/redis.md``
describes.  So what is compared are all cells, fixed-point sums and extremes of every pane of every partition.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from tests.support.chaos_events import FEATURES, Event, Record

LATENESS_MS, KEEP_MS, SKEW_MS = 120_000, 30 * 86_400_000, 300_000
NEVER = -(1 << 62)
EVENTS, LATE, UNKNOWN_FEATURES, UNKNOWN_KEYS, HEAD = 1, 2, 3, 4, 5
MISSING, NAN, POSITIVE, NEGATIVE, WRONG = range(5)
KNOWN = {
    "predictions": {"id", "features", "prediction", "segments", "service", "shadow_of"},
    "labels": {"id", "outcome", "score", "metrics"}, "features": {"feature", "source", "values"},
    "serving": {"service", "perplexity", "gpu", "uuid", "host", "metrics"},
}  # fmt: skip
EVERYWHERE = {"model", "timestamp", "version", "status", "latency_s", "input_tokens", "output_tokens", "rating"}

Layout = dict[str, Any]
#: A stream and a partition.
Place = tuple[str, int]


@dataclass(slots=True)
class Pane:
    """A pane's cells that are not 0, and by numeric column its sums and extremes."""

    cells: Counter[int] = field(default_factory=Counter)
    sums: Counter[int] = field(default_factory=Counter)
    extremes: dict[int, tuple[float, float]] = field(default_factory=dict)

    def __add__(self, other: Pane) -> Pane:
        extremes = dict(self.extremes)
        for at, (low, high) in other.extremes.items():
            own = extremes.get(at, (math.inf, -math.inf))
            extremes[at] = (min(low, own[0]), max(high, own[1]))
        return Pane(Counter(self.cells) + Counter(other.cells), _summed(self.sums, other.sums), extremes)


def _summed(one: Counter[int], other: Counter[int]) -> Counter[int]:
    """Not ``Counter +``, which forgets what is negative."""
    found = Counter(one)
    found.update(other)
    return Counter({at: amount for at, amount in found.items() if amount})


@dataclass(slots=True)
class Judged:
    """Events that count, by stream and partition, each with whether it is late; what is refused; and the letters' keys."""

    counted: dict[Place, list[tuple[Event, bool]]] = field(default_factory=lambda: defaultdict(list))
    rejected: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    letters: set[str] = field(default_factory=set)


def judged(records: Iterable[Record], *, now_ms: int, topic: str = "") -> Judged:
    """Each record's events against its partition's own clock; ``topic`` is what stands before a stream's name."""
    found = Judged()
    clocks: dict[Place, int] = defaultdict(lambda: NEVER)
    closed: dict[Place, int] = defaultdict(lambda: NEVER)
    offsets: Counter[Place] = Counter()
    for record in records:
        place = (record.stream, record.partition)
        coordinates = f"{topic}{record.stream}:{record.partition}:{offsets[place]}"
        offsets[place] += 1
        if record.refused:
            _refuse(found, record.stream, record.refused, coordinates)
        many = (record.value or b"")[:1] == b"["
        for at, event in enumerate(record.events):
            key = f"{coordinates}:{at}" if many or _is_batch(record) else coordinates
            if "control" in event:
                closed[place] = max(closed[place], event["timestamp"])
                continue
            if event["timestamp"] > now_ms + SKEW_MS:
                _refuse(found, record.stream, "future", key)
                continue
            watermark = max(clocks[place] - LATENESS_MS, closed[place])
            clocks[place] = max(clocks[place], event["timestamp"])
            end = event["timestamp"] // 60_000 * 60_000 + 60_000
            if end + KEEP_MS <= watermark:
                _refuse(found, record.stream, "too_late", "")
            else:
                found.counted[place].append((event, end <= watermark))
    return found


def _is_batch(record: Record) -> bool:
    return len(record.events) > 1


def _refuse(found: Judged, stream: str, reason: str, key: str) -> None:
    found.rejected[stream][reason] += 1
    if key:
        found.letters.add(key)


def counted(events: Iterable[tuple[Event, bool]], layout: Layout) -> dict[int, Pane]:
    """The panes of one layout, of one partition's events."""
    panes: dict[int, Pane] = defaultdict(Pane)
    columns, width = _columns(layout), layout["pane_ms"]
    strange = layout["stream"] != "features" and not _is_of_arms(layout)
    count = _values_counted if layout["stream"] == "features" else _event_counted
    for event, late in events:
        if event.get("model", layout["model"]) == layout["model"]:
            pane = panes[event["timestamp"] // width * width]
            added = count(pane, event, columns)
            pane.cells[EVENTS] += added
            pane.cells[LATE] += added * late
            if strange:
                _strangers_counted(pane, event, layout)
    return panes


def totals(events: Iterable[Event]) -> Counter[str]:
    """What a model's predictions add up to, however often a pane of theirs was closed and revised."""
    found: Counter[str] = Counter()
    for event in events:
        found["events"] += 1
        found[f"status:{event.get('status')}"] += 1
        for name in FEATURES:
            special = _special(event["features"].get(name))
            found[f"feature:{name}:n"] += special is None
            found[f"feature:{name}:missing"] += special in (MISSING, NAN)
    del found["status:None"]
    return +found


def _event_counted(pane: Pane, event: Event, columns: Sequence[_Column]) -> int:
    version = event.get("version")
    for column in columns:
        if column.version is None or column.version == version:
            column.count(pane, _value(event, column.path))
    return 1


def _values_counted(pane: Pane, event: Event, columns: Sequence[_Column]) -> int:
    """Each value of a feature's event counts as an event, in the column of that feature alone."""
    for column in columns:
        if column.path == f"features.{event['feature']}":
            for value in event["values"]:
                column.count(pane, value)
    return len(event["values"])


def _strangers_counted(pane: Pane, event: Event, layout: Layout) -> None:
    declared = {given["name"] for kind in ("numeric", "categorical") for given in layout[kind]}
    pane.cells[UNKNOWN_FEATURES] += len(set(event.get("features", ())) - declared)
    pane.cells[UNKNOWN_KEYS] += len(set(event) - KNOWN[layout["stream"]] - EVERYWHERE)


def _is_of_arms(layout: Layout) -> bool:
    return bool(layout["categorical"]) and layout["categorical"][0]["path"] == "version"


def _value(event: Event, path: str) -> Any:
    head, _, name = path.partition(".")
    found = event.get(head)
    return (found or {}).get(name) if name else found


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a layout: where its cells begin, and of which version it counts alone."""

    given: Mapping[str, Any]
    first: int
    at: int
    version: str | None
    path: str

    def count(self, pane: Pane, value: Any) -> None:
        (self._number if "edges" in self.given else self._name)(pane, value)

    def _number(self, pane: Pane, value: Any) -> None:
        edges, mean = self.given["edges"], self.given["mean"]
        special = _special(value)
        if special is not None:
            pane.cells[self.first + len(edges) + 1 + special] += 1
            return
        value = float(value)
        sd = self.given["sd"] if self.given["sd"] > 0 else 1.0
        pane.cells[self.first + bisect_right(edges, value)] += 1
        q = round(max(-64.0, min(64.0, (value - mean) / sd)) * 4096)
        pane.sums[2 * self.at] += q
        pane.sums[2 * self.at + 1] += q * q
        low, high = pane.extremes.get(self.at, (math.inf, -math.inf))
        pane.extremes[self.at] = (min(low, value), max(high, value))
        if self.given["detailed"]:
            self._details(pane, value, first=self.first + len(edges) + 6, sd=sd)

    def _details(self, pane: Pane, value: float, *, first: int, sd: float) -> None:
        [bits] = struct.unpack("<Q", struct.pack("<d", value + 0.0))
        pane.cells[first + (bits * 0x9E3779B97F4A7C15 % (1 << 64) >> 60)] += 1
        below, above = self.given["minimum"] - value, value - self.given["maximum"]
        if max(below, above) > 0:
            key = max(0, min(31, math.floor(2 * math.log2(max(below, above) / sd)) + 12))
            pane.cells[first + 16 + key + (32 if above > 0 else 0)] += 1

    def _name(self, pane: Pane, value: Any) -> None:
        known: Sequence[str] = self.given["categories"]
        bins = self.given["buckets"] or len(known)
        if value is None:
            pane.cells[self.first + bins + 2] += 1
            return
        if not isinstance(value, str | int | float):
            pane.cells[self.first + bins + 3] += 1
            return
        name = dict(map(tuple, self.given["aliases"])).get(str(value), str(value))
        if self.given["buckets"]:
            pane.cells[self.first + _bucket(name, bins)] += 1
        elif name in known:
            pane.cells[self.first + known.index(name)] += 1
        else:
            pane.cells[self.first + bins + (0 if name in self.given["folded"] else 1)] += 1


def _special(value: Any) -> int | None:
    if value is None:
        return MISSING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return WRONG
    if math.isfinite(value):
        return None
    return NAN if math.isnan(value) else POSITIVE if value > 0 else NEGATIVE


def _bucket(name: str, buckets: int) -> int:
    """CRC-32 and murmur's finalizer."""
    mixed = crc32(name.encode())
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        mixed = (mixed ^ mixed >> shift) * factor % (1 << 32)
    return mixed % buckets


def _columns(layout: Layout) -> list[_Column]:
    found, first = [], HEAD
    versions = dict(zip(("champion", "challenger"), _versions(layout), strict=False))
    for at, given in enumerate(layout["numeric"]):
        found.append(_Column(given, first, at, versions.get(given["name"].partition(".")[0]), given["path"]))
        first += len(given["edges"]) + 6 + (80 if given["detailed"] else 0)
    for given in layout["categorical"]:
        found.append(_Column(given, first, -1, versions.get(given["name"].partition(".")[0]), given["path"]))
        first += (given["buckets"] or len(given["categories"])) + 4
    return found


def cells_of(layout: Layout) -> int:
    """How many cells a pane of the layout has."""
    numeric = sum(len(given["edges"]) + 6 + (80 if given["detailed"] else 0) for given in layout["numeric"])
    return HEAD + numeric + sum((given["buckets"] or len(given["categories"])) + 4 for given in layout["categorical"])


def _versions(layout: Layout) -> Sequence[str]:
    return layout["categorical"][0]["categories"] if _is_of_arms(layout) else ()
