"""What a deployment has stored, read out of Redis byte by byte: panes of partitions, closed panes, refusals.

Keys and formats are those that ``docs/redis.md`` and the head of ``stream/state/packing.py`` describe; no code is shared.
"""

from __future__ import annotations

import json
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, cast

import redis

from tests.support.chaos_oracle import Layout, Pane, cells_of

#: (stream, partition, model, hash of the layout) to panes by their start.
Stored = dict[tuple[str, int, str, str], dict[int, Pane]]
Hash = Mapping[bytes, bytes]


def unpacked(stored: bytes, cells: int) -> Pane:
    """The pane of so many cells behind its bytes, format 1 or 2."""
    form, widths, _, filled, columns, summed = struct.unpack_from("<BBIIII", stored)
    read = _Bytes(stored, struct.calcsize("<BBIIII"))
    if form == 1:
        index = read.integers(widths >> 4, filled)
        counts = read.integers(widths & 15, filled)
    else:
        index = [
            8 * at + bit
            for at, byte in enumerate(read.integers(1, -(-cells // 8)))
            for bit in range(8)
            if byte >> bit & 1
        ]
        counts = read.integers(1, filled)
        large = iter(read.integers(widths, counts.count(255)))
        counts = [next(large) if count == 255 else count for count in counts]
    places = read.integers(2, summed)
    sums = struct.unpack_from(f"<{summed}q", stored, read.at)
    extremes = struct.unpack_from(f"<{2 * columns}d", stored, read.at + 8 * summed)
    pairs = {at: (extremes[2 * at], extremes[2 * at + 1]) for at in range(columns)}
    return Pane(
        Counter(dict(zip(index, counts, strict=True))),
        Counter(dict(zip(places, sums, strict=True))),
        {at: pair for at, pair in pairs.items() if pair[0] <= pair[1]},
    )


class _Bytes:
    """Reads integers one after the other."""

    def __init__(self, stored: bytes, at: int) -> None:
        self.stored, self.at = stored, at

    def integers(self, width: int, count: int) -> list[int]:
        found = [int.from_bytes(self.stored[self.at + width * n :][:width], "little") for n in range(count)]
        self.at += width * count
        return found


def layouts(url: str, environment: str, model: str) -> dict[tuple[str, str, str], Layout]:
    """Every layout in which panes of a model were counted, by model, stream and hash."""
    with redis.Redis.from_url(url) as client:
        found = cast(Hash, client.hgetall(f"driftline:{environment}:model:{model}:layouts"))
    names = {name: name.decode().partition(":") for name in found}
    return {(model, stream, digest): json.loads(found[name]) for name, (stream, _, digest) in names.items()}


def panes(url: str, environment: str, known: Mapping[tuple[str, str, str], Layout]) -> Stored:
    """The panes of all partitions in ``known`` layouts (by model, stream and hash), which are all of those models."""
    models = {model for model, _, _ in known}
    head = f"driftline:{environment}:{{"
    stored: Stored = defaultdict(dict)
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(match=f"{head}*}}:panes:*", count=10_000):
            place, _, rest = key.decode().removeprefix(head).partition("}:panes:")
            stream, partition = place.split(":")
            model, digest, _ = rest.rsplit(":", 2)
            if model not in models:
                continue
            cells = cells_of(known[model, stream, digest])
            for start, packed in cast(Hash, client.hgetall(key)).items():
                # A topic that was made anew has its panes beside those of before, as START.1 and so on.
                at, of = int(start.partition(b".")[0]), stored[stream, int(partition), model, digest]
                of[at] = of[at] + unpacked(packed, cells) if at in of else unpacked(packed, cells)
    return stored


def closed(url: str, environment: str, model: str, layout: tuple[str, Layout]) -> dict[int, Pane]:
    """The closed panes of a model's predictions in a layout (its hash before it), merged over partitions."""
    found: dict[int, Pane] = {}
    cells = cells_of(layout[1])
    with redis.Redis.from_url(url) as client:
        match = f"driftline:{environment}:{{model:{model}}}:closed:predictions:{layout[0]}:pane:*"
        for key in client.scan_iter(match=match, count=10_000):
            stored = cast(Hash, client.hgetall(key))
            found |= {int(start): unpacked(packed, cells) for start, packed in stored.items()}
    return found


def totals(url: str, environment: str, model: str) -> Counter[str]:
    """The cumulative sums of a model's predictions: counts alone, without those of measured columns."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        fields = cast("dict[str, str]", client.hgetall(f"driftline:{environment}:{{model:{model}}}:totals"))
    named = {name.removeprefix("predictions:"): int(count) for name, count in fields.items() if ":" in name}
    kinds = re.compile(r"events|status:(success|error)|feature:x\d:(n|missing)")
    return Counter({name: count for name, count in named.items() if kinds.fullmatch(name)})


def refused(url: str, environment: str, stream: str, *, partitions: int) -> Counter[str]:
    """Refused events of a stream by reason."""
    found: Counter[str] = Counter()
    with redis.Redis.from_url(url, decode_responses=True) as client:
        for partition in range(partitions):
            fields: dict[str, Any] = client.hgetall(f"driftline:{environment}:{{{stream}:{partition}}}:offset")
            for name, count in fields.items():
                if name.startswith("rejected:"):
                    found[name.removeprefix("rejected:")] += int(count)
    return found
