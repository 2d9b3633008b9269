"""What a scraper leaves to the one that comes after it: a file, written when it has ended and taken away by the next that begins.

So what came between two processes is counted, and once: a process that was killed leaves no file, and the next begins with a new
baseline, as without one.  A target that means something else now (another map, other names of models) begins anew, too.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from schemas.errors import ConfigError, Problem
from schemas.targets import Target
from stream.scraping.counters import Counters
from stream.scraping.instances import Instance
from stream.scraping.meters import Meter, Owner, Series
from stream.scraping.waiting import Waiting

log = logging.getLogger(__name__)


class _Wait(msgspec.Struct):
    owner: Owner
    begin_ms: int
    end_ms: int
    requests: float
    errors: float
    measures: dict[str, list[Meter]]


class _Left(msgspec.Struct):
    meters: list[tuple[Series, Meter]]
    started: float | None
    seen_ms: int
    waiting: list[_Wait]


class _File(msgspec.Struct):
    targets: dict[str, _Left]
    schema: int = 1


def take(file: Path) -> Mapping[str, Counters]:
    """What the process before has left, by :func:`meaning`; the file is gone then.

    :raises ConfigError: at its end this process could not write there.
    """
    try:
        _beside(file).touch()
        found = file.read_bytes() if file.exists() else b""
        file.unlink(missing_ok=True)
    except OSError as error:
        said = f"cannot be written ({error.strerror}): name a file in a folder of the scraper's own"
        raise ConfigError([Problem(str(file), 0, "--state", said)]) from None
    return _read(file, found) if found else {}


def leave(file: Path, counters: Mapping[str, Counters]) -> None:
    """Write what the next process goes on from."""
    targets = {name: left for name, each in counters.items() if (left := _left(each)) is not None}
    with _beside(file).open("wb") as written:
        written.write(msgspec.json.encode(_File(targets)))
        written.flush()
        os.fsync(written.fileno())
    _beside(file).replace(file)


def meaning(target: Target) -> str:
    """The same for targets whose counters mean the same."""
    said = (target.url, target.kind, target.names.model_dump(), target.models, target.model, target.version)
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.new")


def _read(file: Path, found: bytes) -> Mapping[str, Counters]:
    try:
        read = msgspec.json.decode(found, type=_File)
    except msgspec.DecodeError as error:
        log.warning("%s is no state of a scraper (%s): counting begins anew", file, error)
        return {}
    return {name: _counters(left) for name, left in read.targets.items()}


def _counters(left: _Left) -> Counters:
    return Counters(Instance(dict(left.meters), left.started, left.seen_ms), dict(map(_waiting, left.waiting)))


def _waiting(wait: _Wait) -> tuple[Owner, Waiting]:
    measures = {name: {meter.bounds: meter for meter in meters} for name, meters in wait.measures.items()}
    return wait.owner, Waiting(wait.begin_ms, wait.end_ms, wait.requests, wait.errors, measures)


def _left(counters: Counters) -> _Left | None:
    known, waiting = counters.left
    if known is None:
        return None
    return _Left(list(known.meters.items()), known.started, known.seen_ms, _waits(waiting))


def _waits(waiting: Mapping[Owner, Waiting]) -> list[_Wait]:
    def measures(each: Waiting) -> dict[str, list[Meter]]:
        return {name: list(kinds.values()) for name, kinds in each.measures.items()}

    return [
        _Wait(owner, each.begin_ms, each.end_ms, each.requests, each.errors, measures(each))
        for owner, each in waiting.items()
    ]
