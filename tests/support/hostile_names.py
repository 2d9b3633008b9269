"""Every name that an event can bring and a Redis key could be made of, made as hostile as JSON allows; and what keys there may be.

The patterns are those of ``docs/redis.md``, of which only the parts that the configuration or the program chooses may vary:
no producer chooses a key, but for the name of a GPU, whose number and length are bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.names import Stream
from tests.support.bad_events import MODEL

PAGE = Path(__file__).parents[2] / "docs" / "redis.md"
NAMES = (
    "a:b", "{incidents}", "}:offset", "{predictions:0}:offset", "{", "}", "driftline:config", "two\nlines\r\n",
    "\x00\x1f\x7f\x1b[31m", "x" * 100_000, "\u202e\U0001f600", "\ud800", "*", "[a-z]?", " ", "'\"; --", "../..",
)  # fmt: skip
#: More GPUs than are known at once.
GPUS = 1_100
#: What a part of a key may be.
_PARTS = {
    "<model>": MODEL, "<layout>": "[0-9a-f]{16}", "<block>": r"\d{13}", "<sha256>": "[0-9a-f]{64}", "<stream>": "[a-z]+",
    "<window>": "[a-z0-9:-]+", "<tier>": "pane|1h|1d", "<host>/<uuid>": ".{1,400}", "<shard>": r"\d\d?", "<id>": "[0-9a-f-]+",
    "<nonce>": "[0-9A-Za-z:-]{1,64}", "<address>": "[a-z]+:.{1,200}",
}  # fmt: skip


def hostile_events(at_ms: int) -> Iterator[tuple[Stream, bytes]]:
    """Each name in each place that takes one, and GPUs without end."""
    for name in NAMES:
        for stream, fields in _of(name):
            yield stream, json.dumps({"timestamp": at_ms, **fields}).encode()
    wide = {"model": MODEL, "timestamp": at_ms, "features": {f"nobody declared {number}": 1.0 for number in range(300)}}
    yield "predictions", json.dumps(wide).encode()
    for number in range(GPUS):
        gpu = {"host": "node", "gpu": 0, "uuid": f"GPU-{number}", "metrics": {"power_watts": 70}}
        yield "serving", json.dumps({"timestamp": at_ms, **gpu}).encode()


def _of(name: str) -> Iterator[tuple[Stream, dict[str, Any]]]:
    more = {"version": name, "service": name, "id": name, "segments": {name: name}, "status": "success"}
    yield "predictions", {"model": MODEL, **more, "features": {name: 1.0, "city": name}, "prediction": {"label": name}}
    yield "labels", {"model": MODEL, "id": name, "outcome": name, "metrics": {name: 1.0}}
    yield "labels", {"model": name, "id": name, "outcome": 1}
    yield "features", {"feature": name, "source": name, "values": [1.0]}
    yield "features", {"feature": "x0", "source": name, "values": [1.0]}
    yield "serving", {"model": MODEL, **more}
    yield "serving", {"model": name, **more}
    yield "serving", {"host": name, "gpu": name, "uuid": name, "metrics": {name: 1.0, "power_watts": 70}}


def documented(environment: str) -> dict[str, re.Pattern[str]]:
    """The patterns of the page, by how it spells them."""
    spelled = re.findall(r"^\| `(driftline:[^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    return {key: re.compile(_pattern(key, environment), re.DOTALL) for key in spelled}


def _pattern(key: str, environment: str) -> str:
    found = re.escape(key.replace("driftline:", f"driftline:{environment}:", 1))
    found = found.replace(re.escape("{predictions:3}"), r"\{[a-z]+:[0-3]\}").replace(
        "topic:predictions:", "topic:[a-z]+:"
    )
    for part, allowed in _PARTS.items():
        found = found.replace(re.escape(part), f"(?:{allowed})")
    return found
