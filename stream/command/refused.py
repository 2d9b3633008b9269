"""Which events of a record its dead letters refuse, and a record of those alone: what may be sent again.

The other events of an array or a columnar batch were counted, and sent again they would be counted twice.  Of a record with
many refused events only some have a letter, and letters of older workers do not say which event they are about: the others
are found by judging the record's events again, by what its letters say was wrong.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.columnar import Packed, batch_of, is_batch
from schemas.errors import RejectedEvent
from schemas.events import Rejected, judged, read_record
from schemas.gpus import sampled
from schemas.kinds import FeatureValues, Watermark
from schemas.names import Stream
from stream.command.letters import DeadLetter

#: Refuse the record whole, where the letter names no event in it.
_WHOLE = frozenset({"not_utf8", "not_json", "too_deep", "tombstone", "bad_columns"})
_MORE = re.compile(r" \((\d+) more refused events of this record are counted only\)$")


class Untold(Exception):
    """It cannot be told which events of a record were refused; says why."""


@dataclass(frozen=True, slots=True)
class Original:
    """A record as it stands in Kafka: ``timestamp`` is Kafka's, in ms (-1: none)."""

    stream: Stream
    value: bytes | None
    timestamp: int


def refused_events(original: Original, letters: Sequence[DeadLetter], *, skew_ms: int) -> tuple[int, ...] | None:
    """Places of the events that these letters of one record refuse; None where they refuse the record as a whole.

    ``skew_ms`` is how far an event may be ahead of its record.

    :raises Untold: the record's events do not add up to what its letters say.
    """
    if any(_is_whole(letter) for letter in letters):
        return None
    events = _events(original.value)
    if events is None:
        return None
    placed = {letter.index for letter in letters if letter.index is not None}
    unplaced = [letter for letter in letters if letter.index is None]
    more = sum(_more(letter) for letter in letters)
    if not unplaced and not more:
        return _within(placed, events)
    alike = _Alike.of(letters, events, original=original, skew_ms=skew_ms)
    found = placed | {at for at, event in enumerate(events) if alike.refuses(event)}
    if not unplaced and len(found) != len(placed) + more:
        raise Untold(
            f"it has {len(placed) + more} refused events, and {len(found)} that may be: send them from the source"
        )
    if not found:
        raise Untold("none of its events is what the dead letter says: send it from the source")
    return _within(found, events)


def record_of(value: bytes, places: Sequence[int]) -> bytes:
    """A record of these events alone: an array of them, or a batch with their rows.

    >>> record_of(b'[{"model": "a"}, {"model": "b"}, 3]', [1])
    b'[{"model":"b"}]'
    >>> record_of(b'{"model": "m", "timestamp": [1, 2, 3], "features": {"x": [4, 5, 6]}}', [0, 2])
    b'{"model":"m","timestamp":[1,3],"features":{"x":[4,6]}}'
    """
    read = read_record(value)
    if type(read) is list:
        chosen: Any = [read[at] for at in places]
    else:
        columns = batch_of(read).columns
        chosen = {name: _nested(column, places) for name, column in columns.items()}
    return json.dumps(chosen, ensure_ascii=False, separators=(",", ":")).encode()


def _nested(column: Any, places: Sequence[int]) -> Any:
    if type(column) is dict:
        return {name: _chosen(inner, places) for name, inner in column.items()}
    return _chosen(column, places)


def _chosen(column: Any, places: Sequence[int]) -> Any:
    if type(column) is Packed:
        raw = b"".join(column.raw[8 * at : 8 * at + 8] for at in places)
        return {"f64": base64.b64encode(raw).decode()}
    return [column[at] for at in places] if type(column) is list else column


def _is_whole(letter: DeadLetter) -> bool:
    """A record is too large by its bytes, its values or its panes; a sample by its names alone."""
    too_large = letter.reason == "too_large" and letter.field in ("", "values", "timestamp")
    return letter.index is None and (letter.reason in _WHOLE or too_large)


def _events(value: bytes | None) -> list[Any] | None:
    """The events of a record of several; None where it is one, or nothing."""
    try:
        read = read_record(value)
        if type(read) is dict and is_batch(read):
            return batch_of(read).rows()
    except RejectedEvent:
        return None
    return read if type(read) is list else None


def _within(places: set[int], events: Sequence[Any]) -> tuple[int, ...]:
    if max(places) >= len(events):
        raise Untold(f"it holds {len(events)} events, and its dead letter is about event {max(places)}")
    return tuple(sorted(places))


def _more(letter: DeadLetter) -> int:
    found = _MORE.search(letter.detail)
    return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class _Alike:
    """What refuses an event as it refused those that letters are about; ``latest_ms`` None: none was from the future."""

    stream: Stream
    unknown_models: tuple[str, ...]
    unknown_features: frozenset[str]
    latest_ms: int | None

    @classmethod
    def of(cls, letters: Sequence[DeadLetter], events: Sequence[Any], *, original: Original, skew_ms: int) -> _Alike:
        features = {_feature(events[letter.index]) for letter in letters
                    if letter.reason == "unknown_feature" and letter.index is not None and letter.index < len(events)}  # fmt: skip
        all_features = {_feature(event) for event in events}
        if any(letter.reason == "unknown_feature" and letter.index is None for letter in letters):
            if len(all_features) > 1:
                raise Untold(
                    "its dead letter does not say which of its features nobody declared: send it from the source"
                )
            features = all_features
        has_future = any(letter.reason == "future" for letter in letters)
        models = tuple(letter.detail for letter in letters if letter.reason == "unknown_model")
        latest = original.timestamp + skew_ms if has_future and original.timestamp >= 0 else None
        return cls(original.stream, models, frozenset(features), latest)

    def refuses(self, event: Any) -> bool:
        found = judged(self.stream, event, None)
        if isinstance(found, Rejected):
            return True
        if isinstance(found, Watermark):
            return False
        if self.latest_ms is not None and found.timestamp_ms > self.latest_ms:
            return True
        if isinstance(found, FeatureValues):
            return found.feature in self.unknown_features
        if found.model is None:
            return _is_refused_sample(found)
        said = f"no model {found.model[:80]!r} in force"
        return any(detail.startswith(said) for detail in self.unknown_models)


def _feature(event: Any) -> str:
    return str(event.get("feature", "")) if isinstance(event, Mapping) else ""


def _is_refused_sample(found: Any) -> bool:
    try:
        sampled(found)
    except RejectedEvent:
        return True
    return False
