"""Records of a run to rows of a buffer: the fast path for what it can read, the strict contract's verdict for all else.

Columnar batches have a fast path of their own (``batch``), tried where the one for events refuses.

The fast path is a compiled scanner over the whole run (``scanner``).  What it is not sure of is read record by record: by one
tagged union of per-model structs, and whatever that refuses goes to the strict contract, whose verdict is final.  No two of the
three ever accept with different results, but for invalid UTF-8 inside an ignored field.  Joining records for one call would be
wrong (``two,in,one`` decodes to two events and a split one to one, so a length check passes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Union

import msgspec

from schemas.columnar import batch_of, is_batch
from schemas.errors import RejectedEvent
from schemas.events import MOST_BYTES, FeatureValues, Rejected, Watermark, events_of, read_record
from schemas.gpus import sampled
from schemas.names import Stream
from schemas.timestamps import timestamp_ms_of
from stream.ingest import unregistered, versions
from stream.ingest.batch import Batches, Taken
from stream.ingest.buffer import CLOSE, TICK, Buffer, Rejection
from stream.ingest.growth import MOST_PANES
from stream.ingest.listed import Columns, columns_of
from stream.ingest.scanned import Scanned
from stream.ingest.scanner import Scanner, scanner
from stream.ingest.shape import Shape, Strange, check_unread, struct_of
from stream.ingest.sightings import Sightings
from stream.ingest.spread import Spread
from stream.ingest.stored import ENOUGH, places, slab_of, together
from stream.ingest.strangers import Strangers
from stream.ingest.strict import Row, row_of, rows_of, undeclared_features
from stream.ingest.tenure import Tenure
from stream.records import Record, Records

#: Rows and refusals after which a run is counted before more of it is read.
LARGE_BUFFER = 20_000
#: One event of so many records tells its version.
TOGETHER = 256
_NO_VALUES = Row((), (), ())
#: Streams whose events say which version of a model answered.
VERSIONED = ("predictions", "serving")


class _Peek(msgspec.Struct):
    """As little of an event as tells whether its model is known."""

    model: str
    timestamp: int | float | str
    #: A control record may name a model; it is not about one.
    control: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_PEEK = msgspec.json.Decoder(_Peek)


class _Nobody(msgspec.Struct, tag_field="model", tag=""):
    """Makes every union one of two at least: of a struct alone, msgspec does not ask for the tag, and so for the model."""

    def __post_init__(self) -> None:
        raise ValueError("no model")


class Decoder(Protocol):
    """Decodes one record by the fast path, or raises."""

    def __call__(self, value: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False, slots=True)
class StreamDecoder:
    """Everything needed to decode one stream under one configuration."""

    stream: Stream
    shapes: tuple[Shape, ...]
    numbers: Mapping[str, int]
    #: feature -> numbers of the shapes that declare it (``features`` stream)
    declared: Mapping[str, tuple[int, ...]]
    fast: Decoder
    #: Whether the fast path passes over names that nobody declared, and has to count them.
    strange: bool
    scanner: Scanner
    #: The most narrow columns that a shape has, the most wide ones, and the most of names.
    columns: Columns
    batches: Batches
    spread: Spread
    strangers: Strangers
    versions: Sightings = field(default_factory=lambda: Sightings(versions.MOST))
    unregistered: Sightings = field(default_factory=lambda: Sightings(unregistered.MOST))

    def decode_run(self, records: Records, tenure: Tenure, *, into: Buffer) -> None:
        """Append the rows and rejections of a run to ``into``; never raises for what a record holds.

        Stops early once records of many events have made the buffer large; ``tenure.read`` says where.
        """
        first, listed = into.listed, into.receive(records, self.columns)
        left, listed.used = self.scanner.scan(records, listed.rows, row=first, used=listed.used)
        read = Scanned(records, left, listed.rows.meta[first : first + len(records) - len(left)])
        reached = self._read(read, tenure, into=into)
        if self.stream in VERSIONED:
            self._sight(read, reached)
        into.settle(first=first, scanned=read.before(reached))
        into.close_segment(tenure, next_offset=int(records.offsets[reached - 1]) + 1)

    def _read(self, read: Scanned, tenure: Tenure, *, into: Buffer) -> int:
        """Read the records that are left, in their places among those that were scanned; how many of all records were read."""
        passed = 0
        for done, at in enumerate(read.left):
            into.over(at - done - passed)
            passed, record = at - done, read.records[at]
            event = self._read_one(record, into=into)
            if event is None:
                self._decode_strictly(record, tenure, into=into)
                if len(into) + len(into.rejections) > LARGE_BUFFER:
                    return at + 1
            else:
                read.events[at] = event
        into.over(len(read.rows) - passed)
        return len(read.records)

    def _read_one(self, record: Record, *, into: Buffer) -> Any:
        """The event of a record, whose row is appended; None: what it is, is for the contract to say."""
        try:
            value = record.value
            if len(value) > MOST_BYTES:  # type: ignore[arg-type] # a tombstone is refused by this, too
                raise ValueError("too large")
            event, unknown = self.fast(value), (0, 0)
            if self.strange and event.count_strange is not None:
                check_unread(value or b"")
                unknown = event.count_strange(event)
            shape, time, narrow, wide, named = event.read(event)
            # Numbers are in range here (see ``Timestamp`` in ``shape``), so cutting off is flooring.
            time_ms = timestamp_ms_of(time) if type(time) is str else int(time)
        except Exception:
            # Not only msgspec's own: UnicodeDecodeError, RecursionError and TypeError (tombstones) come out too.
            return None
        into.append(shape, time_ms, record=record, row=Row(narrow, wide, named, *unknown))
        return event

    def _sight(self, read: Scanned, reached: int) -> None:
        """Note of the last event of each stretch of records which version it is of, and what of it nobody declared."""
        for first in range(0, reached, TOGETHER):
            end = min(first + TOGETHER, reached)
            at = read.last(first, end)
            if at is not None:
                shape, version, strange = read.told(at)
                event = read.events.get(at) or (self.fast(read.records[at].value) if strange else None)
                model, at_ms = self.shapes[shape].model, int(read.records.timestamps[end - 1])
                self.versions.note(model, (version,), at_ms=at_ms)
                if event is not None:
                    self.unregistered.note(model, event.name_strange(event), at_ms=at_ms)

    def _decode_strictly(self, record: Record, tenure: Tenure, *, into: Buffer) -> None:
        try:
            if self._take_batch(self.batches.read(record), record, tenure, into=into):
                return
            if self._is_unknown(record, tenure, into=into):
                return
            read = read_record(record.value)
            if type(read) is dict and is_batch(read):
                batch = batch_of(read)
                if self._take_batch(self.batches.take(batch, record), record, tenure, into=into):
                    return
                read = batch.rows()
            events = events_of(self.stream, read)
            self.spread.check(events)
        except RejectedEvent as refused:
            into.rejections.append(Rejection(tenure, record, refused.reason, refused.field, refused.detail))
            return
        several = type(read) is list
        for place, group in together(events):
            index, found = place if several else None, group[0]
            match found:
                case Rejected():
                    into.rejections.append(
                        Rejection(tenure, record, found.reason, found.field, found.detail, found.index)
                    )
                case Watermark():
                    into.append(CLOSE, found.timestamp_ms, record=record, row=_NO_VALUES, index=index)
                case FeatureValues():
                    self._append_values(group, record, tenure, into=into, first=index)
                case _:
                    self._append_event(found, record, tenure, into=into, index=index)

    def _take_batch(self, taken: Taken | None, record: Record, tenure: Tenure, *, into: Buffer) -> bool:
        """Append a columnar batch as columns; False where it has to be read in another way."""
        if taken is None:
            return False
        if any(len(slab) + len(taken.refused) > MOST_PANES for slab in taken.slabs):
            self.spread.check_slabs(taken.slabs)
        into.rejections += (
            Rejection(tenure, record, found.reason, found.field, found.detail, found.index) for found in taken.refused
        )
        into.append_slabs(taken.slabs, tenure)
        for slab in filter(len, taken.slabs):
            shape = self.shapes[slab.shape]
            self.strangers.note(slab.shape, shape, features=taken.unknown_features, keys=taken.unknown_keys)
            if self.stream in VERSIONED:
                self.versions.note(shape.model, taken.versions, at_ms=record.timestamp)
                self.unregistered.note(shape.model, taken.unknown_features, at_ms=record.timestamp)
        return True

    def _is_unknown(self, record: Record, tenure: Tenure, *, into: Buffer) -> bool:
        """A short way for events of unknown models, so that many of them cost little."""
        if self.stream == "features" or record.value is None or len(record.value) > MOST_BYTES:
            return False
        try:
            peek = _PEEK.decode(record.value)
            timestamp_ms = timestamp_ms_of(peek.timestamp)
        except (ValueError, RecursionError, RejectedEvent):
            return False
        if peek.model in self.numbers or peek.control is not msgspec.UNSET:
            return False
        self._reject_model(peek.model, timestamp_ms, record, tenure=tenure, into=into)
        return True

    def _append_event(self, event: Any, record: Record, tenure: Tenure, *, into: Buffer, index: int | None) -> None:
        number = self.numbers.get(event.model)
        if event.model is None:
            self._append_sample(event, record, tenure, into=into, index=index)
        elif number is None:
            self._reject_model(event.model, event.timestamp_ms, record, tenure=tenure, into=into, index=index)
        else:
            row = row_of(event, self.shapes[number])
            if self.stream in VERSIONED:
                self.versions.note(event.model, (event.version,), at_ms=record.timestamp)
            into.append(number, event.timestamp_ms, record=record, row=row, index=index)
            if row.unknown_features or row.unknown_keys:
                features = undeclared_features(event, self.shapes[number])
                self.strangers.note(number, self.shapes[number], features=features, keys=event.unknown_keys)
                self.unregistered.note(event.model, features, at_ms=record.timestamp)

    def _append_sample(self, event: Any, record: Record, tenure: Tenure, *, into: Buffer, index: int | None) -> None:
        try:
            into.append_sample(sampled(event), record=record, index=index)
        except RejectedEvent as refused:
            into.append(TICK, event.timestamp_ms, record=record, row=_NO_VALUES)
            into.rejections.append(Rejection(tenure, record, refused.reason, refused.field, refused.detail, index))

    def _append_values(
        self, events: Sequence[FeatureValues], record: Record, tenure: Tenure, *, into: Buffer, first: int | None
    ) -> None:
        numbers = self.declared.get(events[0].feature, ())
        if numbers and sum(len(event.values) for event in events) >= ENOUGH:
            slabs = (slab_of(events, at, self.shapes[at], record=record, first=first) for at in numbers)
            into.append_slabs(tuple(slabs), tenure)
            return
        for index, event in zip(places(events, first), events, strict=True):
            for number in numbers:
                for row in rows_of(event, self.shapes[number]):
                    into.append(number, event.timestamp_ms, record=record, row=row, index=index)
            if not numbers or not event.values:
                into.append(TICK, event.timestamp_ms, record=record, row=_NO_VALUES)
            if not numbers:
                detail = "no model in force declares this feature"
                into.rejections.append(Rejection(tenure, record, "unknown_feature", "feature", detail, index))

    def _reject_model(
        self, model: str, timestamp_ms: int, record: Record, *, tenure: Tenure, into: Buffer, index: int | None = None
    ) -> None:
        into.append(TICK, timestamp_ms, record=record, row=_NO_VALUES)
        detail = f"no model {model[:80]!r} in force; apply a monitors file that declares it"
        into.rejections.append(Rejection(tenure, record, "unknown_model", "model", detail, index))


def stream_decoder(stream: Stream, shapes: Sequence[Shape]) -> StreamDecoder:
    """The decoder of a stream for these models' shapes, which keep their numbers.

    Costs 0.1 ms a model (a second at 10 000 models): build it off the event loop.
    """
    declared: dict[str, tuple[int, ...]] = {}
    if stream == "features":
        for number, shape in enumerate(shapes):
            for feature in shape.features:
                declared[feature] = (*declared.get(feature, ()), number)
    numbers = {shape.model: number for number, shape in enumerate(shapes)}
    batches = Batches(stream, tuple(shapes), numbers, declared)
    strange = any(shape.strange != Strange() for shape in shapes)
    return StreamDecoder(
        stream, tuple(shapes), numbers, declared, _fast(stream, shapes), strange, scanner(stream, shapes), columns_of(shapes),
        batches, Spread(tuple(shapes), numbers, declared), Strangers(),
    )  # fmt: skip


def _fast(stream: Stream, shapes: Sequence[Shape]) -> Decoder:
    if stream == "features" or not shapes:
        return _refuse
    structs = (_Nobody, *(struct_of(shape, number) for number, shape in enumerate(shapes)))
    decode: Decoder = msgspec.json.Decoder(Union[structs]).decode  # noqa: UP007 (built at run time)
    return decode


def _refuse(value: bytes | None) -> Any:
    raise ValueError("no fast path")
