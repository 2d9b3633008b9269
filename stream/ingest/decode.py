"""Records of a run to rows of a buffer: the fast path for what it can read, the strict contract's verdict for all else.

Columnar batches have a fast path of their own (``batch``), tried where the one for events refuses.

The fast path is one tagged union of per-model structs, applied record by record: joining records is wrong (``two,in,one``
decodes to two events and a split one to one, so a length check passes).  Whatever it refuses goes to the strict contract,
whose verdict is final.  The two never both accept with different results, but for invalid UTF-8 inside an ignored field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Union

import msgspec
import numpy as np

from schemas.columnar import batch_of, is_batch
from schemas.errors import RejectedEvent
from schemas.events import MOST_BYTES, Event, FeatureValues, Rejected, Watermark, events_of, read_record
from schemas.gpus import sampled
from schemas.names import Stream
from schemas.timestamps import LATEST_MS, timestamp_ms_of
from stream.ingest import unregistered, versions
from stream.ingest.batch import Batches, Taken
from stream.ingest.buffer import CLOSE, TICK, Buffer, Rejection
from stream.ingest.growth import MOST_PANES, check_cells, check_panes
from stream.ingest.shape import Shape, Strange, check_unread, struct_of
from stream.ingest.sightings import Sightings
from stream.ingest.slab import Slab
from stream.ingest.strangers import Strangers
from stream.ingest.strict import Row, row_of, rows_of, undeclared_features
from stream.ingest.tenure import Tenure
from stream.transport import Record

#: Rows and refusals after which a run is counted before more of it is read.
LARGE_BUFFER = 20_000
#: Records whose numbers are made arrays of together.
TOGETHER = 256
_NO_VALUES = Row((), (), ())
#: Streams whose events say which version of a model answered.
VERSIONED = ("predictions", "serving")
Found = Sequence[Event | Rejected]


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
    #: The most narrow columns that a shape has, and the most wide ones.
    columns: tuple[int, int]
    batches: Batches
    strangers: Strangers
    versions: Sightings = field(default_factory=lambda: Sightings(versions.MOST))
    unregistered: Sightings = field(default_factory=lambda: Sightings(unregistered.MOST))

    def decode_run(self, records: Sequence[Record], tenure: Tenure, *, into: Buffer) -> None:
        """Append the rows and rejections of a run to ``into``; never raises for what a record holds.

        Stops early once records of many events have made the buffer large; ``tenure.read`` says where.
        """
        reached = records[-1]
        for first in range(0, len(records), TOGETHER):
            last = self._decode(records[first : first + TOGETHER], tenure, into=into)
            into.pack(self.columns)
            if last is not None:
                reached = last
                break
        into.close_segment(tenure, next_offset=reached.offset + 1)

    def _decode(self, records: Sequence[Record], tenure: Tenure, *, into: Buffer) -> Record | None:
        """Read records, all or until the buffer is large: then the last one."""
        decode, strange, add, note = self.fast, self.strange, into.read.append, into.record.append
        event: Any = None
        for record in records:
            try:
                value = record.value
                if len(value) > MOST_BYTES:  # type: ignore[arg-type] # a tombstone is refused by this, too
                    raise ValueError("too large")
                event = decode(value)
                if strange and event.count_strange is not None:
                    check_unread(value or b"")
                    into.note_unknown(*event.count_strange(event))
            except Exception:
                # Not only msgspec's own: UnicodeDecodeError, RecursionError and TypeError (tombstones) come out too.
                self._decode_strictly(record, tenure, into=into)
                if len(into) + len(into.rejections) > LARGE_BUFFER:
                    return record
                continue
            add(event.read(event))
            note(record)
        if event is not None and self.stream in VERSIONED:
            model = self.shapes[event.shape_number].model
            self.versions.note(model, (event.version,), at_ms=records[-1].timestamp)
            self.unregistered.note(model, event.name_strange(event), at_ms=records[-1].timestamp)
        return None

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
            check_cells(self._cells(events))
            # So few events cannot fall into too many panes, but where many models declare a feature.
            if len(events) > MOST_PANES:
                check_panes(self._panes(events))
        except RejectedEvent as refused:
            into.rejections.append(Rejection(tenure, record, refused.reason, refused.field, refused.detail))
            return
        several = type(read) is list
        for place, found in enumerate(events):
            index = place if several else None
            match found:
                case Rejected():
                    into.rejections.append(
                        Rejection(tenure, record, found.reason, found.field, found.detail, found.index)
                    )
                case Watermark():
                    into.append(CLOSE, found.timestamp_ms, record=record, row=_NO_VALUES, index=index)
                case FeatureValues():
                    self._append_values(found, record, tenure, into=into, index=index)
                case _:
                    self._append_event(found, record, tenure, into=into, index=index)

    def _take_batch(self, taken: Taken | None, record: Record, tenure: Tenure, *, into: Buffer) -> bool:
        """Append a columnar batch as columns; False where it has to be read in another way."""
        if taken is None:
            return False
        if any(len(slab) + len(taken.refused) > MOST_PANES for slab in taken.slabs):
            self._check_panes_of(taken.slabs)
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

    def _check_panes_of(self, slabs: Sequence[Slab]) -> None:
        check_panes(sum(len(np.unique(slab.times // self.shapes[slab.shape].pane_ms)) for slab in slabs))

    def _cells(self, events: Found) -> int:
        values: Counter[str] = Counter()
        for event in events:
            if isinstance(event, FeatureValues):
                values[event.feature] += len(event.values)
        return sum(count * self._row_cells(feature) for feature, count in values.items())

    def _row_cells(self, feature: str) -> int:
        return sum(self.shapes[number].columns for number in self.declared.get(feature, ()))

    def _panes(self, events: Found) -> int:
        """Distinct (model, pane) that the events would be counted in; one integer each, as no pane is beyond LATEST_MS."""
        panes = (
            number * (LATEST_MS + 1) + event.timestamp_ms // self.shapes[number].pane_ms
            for event in events
            if not isinstance(event, Rejected | Watermark)
            for number in self._counted_in(event)
        )
        return len(np.unique(np.fromiter(panes, np.int64)))

    def _counted_in(self, event: Any) -> tuple[int, ...]:
        if isinstance(event, FeatureValues):
            return self.declared.get(event.feature, ()) if event.values else ()
        return (self.numbers[event.model],) if event.model in self.numbers else ()

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
        self, event: FeatureValues, record: Record, tenure: Tenure, *, into: Buffer, index: int | None
    ) -> None:
        numbers = self.declared.get(event.feature, ())
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
    columns = max((len(one.narrow) for one in shapes), default=0), max((len(one.wide) for one in shapes), default=0)
    fast = _fast(stream, shapes)
    return StreamDecoder(stream, tuple(shapes), numbers, declared, fast, strange, columns, batches, Strangers())


def _fast(stream: Stream, shapes: Sequence[Shape]) -> Decoder:
    if stream == "features" or not shapes:
        return _refuse
    structs = (_Nobody, *(struct_of(shape, number) for number, shape in enumerate(shapes)))
    decode: Decoder = msgspec.json.Decoder(Union[structs]).decode  # noqa: UP007 (built at run time)
    return decode


def _refuse(value: bytes | None) -> Any:
    raise ValueError("no fast path")
