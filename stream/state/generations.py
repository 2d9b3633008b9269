"""The configuration in force, in Redis: published whole, numbered, complete without any file.

======================  =======  =============================================================================
key                     type     what
======================  =======  =============================================================================
``config``              hash     ``generation`` (a number that only grows), ``applied_ms``, ``document`` (JSON of `Generation`)
``reference:<sha256>``  string   zlib-compressed JSON of a reference, which carries and proves its own hash
``model:<m>:layouts``   hash     ``<stream>:<layout hash>`` -> JSON of the layout, all that were ever in force
======================  =======  =============================================================================

References and layouts are named by their content and written first, so whoever reads a generation finds what it names.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import WatchError

from schemas.config import Generation, InForce
from schemas.errors import ConfigError, Problem, StoreError
from schemas.monitored import ModelMonitor, Monitors
from schemas.names import Names
from schemas.reference import BadReference, Reference
from stream.state.arms import arms_layout
from stream.state.columns import layouts_of
from stream.state.layout import Layout
from stream.state.switching import Standing, Switch, Version, changed_over

Layouts = Mapping[str, Layout]
#: (number, applied_ms): the number alone comes again after Redis was emptied.
Stamp = tuple[int, int]
#: Models whose layouts are sent to Redis at once.
AT_ONCE = 100


async def publish(
    redis: Redis,
    names: Names,
    monitors: Monitors,
    *,
    references: Mapping[str, Reference],
    now_ms: int,
    clock_ms: int | None,
    after: int = 0,
) -> Generation:
    """Put monitors into force as the next generation; returns it.

    Two at once never lose one: each builds on what it found, and does so again where another came first.

    :param references: by model; one for each that the monitors name.
    :param clock_ms: the greatest event time counted so far (``greatest_clock``), which changed models switch after.
    :param after: the greatest number that is known elsewhere: an emptied Redis goes on from it.
    :raises ConfigError: a model has no reference; nothing is changed then.
    """
    _check_complete(monitors, references)
    versions = await _stored_versions(redis, names, monitors, references=references)
    while True:
        try:
            return await _replaced(redis, names, versions, monitors=monitors, said=(now_ms, clock_ms), after=after)
        except WatchError:
            continue


async def read(redis: Redis, names: Names) -> Generation | None:
    """The generation in force; None before the first.

    :raises StoreError: the document is damaged, or of a newer program.
    """
    document = await redis.hget(names.config, "document")
    return None if document is None else Generation.from_json(document)


async def read_stamp(redis: Redis, names: Names) -> Stamp | None:
    """Which generation is in force: what a worker polls before it reads the whole document.

    :raises StoreError: it is no number, as no program writes it.
    """
    number, applied_ms = await redis.hmget(names.config, "generation", "applied_ms")
    try:
        return None if number is None else (int(number), int(applied_ms or 0))
    except ValueError:
        raise StoreError("the stored configuration cannot be followed: generation: is no number") from None


async def read_newer(redis: Redis, names: Names, held: Stamp | None) -> tuple[Generation, dict[str, Reference]] | None:
    """The generation in force and the references it names, if it is another than the one ``held``; None otherwise.

    Another, not one of a greater number: a Redis that was emptied and filled again counts from 1.

    :raises StoreError: what is stored cannot be followed.
    """
    if await read_stamp(redis, names) in (None, held):
        return None
    generation = await read(redis, names)
    return None if generation is None else (generation, await read_references(redis, names, generation))


async def read_references(redis: Redis, names: Names, generation: Generation) -> dict[str, Reference]:
    """Every reference that a generation names, by hash.

    :raises StoreError: one is missing or damaged; applying the monitors file again stores it.
    """
    return {digest: await read_reference(redis, names, digest) for digest in sorted(digests_of(generation))}


async def missing_references(redis: Redis, names: Names, generation: Generation) -> list[str]:
    """The hashes of references that a generation names and that are not there; asked in one go, and none is read."""
    digests = sorted(digests_of(generation))
    pipe = redis.pipeline(transaction=False)
    for digest in digests:
        pipe.exists(names.reference(digest))
    return [digest for digest, there in zip(digests, await pipe.execute(), strict=True) if not there]


async def read_reference(redis: Redis, names: Names, digest: str) -> Reference:
    """One reference.

    :raises StoreError: it is missing or damaged.
    """
    stored = await redis.get(names.reference(digest))
    if stored is None:
        raise StoreError(f"reference {digest[:16]} is not in Redis: run `driftline apply` on the monitors file again")
    try:
        return Reference.from_json(zlib.decompress(cast(bytes, stored)))
    except (zlib.error, BadReference) as error:
        raise StoreError(f"stored reference {digest[:16]} is damaged: {error}") from None


def _check_complete(monitors: Monitors, references: Mapping[str, Reference]) -> None:
    missing = [model for model in monitors.models if model not in references]
    if missing:
        file = str(monitors.file)
        raise ConfigError(Problem(file, 0, f"models.{model}", "has no reference") for model in missing)


async def _stored_versions(
    redis: Redis, names: Names, monitors: Monitors, *, references: Mapping[str, Reference]
) -> dict[str, Version]:
    """Store references, each once, and layouts; what each model is to be, by model.

    A few models at a time: what ten thousand of them would send at once is hundreds of megabytes.
    """
    different = {id(reference): reference for reference in references.values()}
    digests = {at: reference.hash for at, reference in different.items()}
    for at, reference in different.items():
        await redis.set(names.reference(digests[at]), zlib.compress(reference.to_json()))
    versions = {}
    models = list(monitors.models.items())
    for first in range(0, len(models), AT_ONCE):
        pipe = redis.pipeline(transaction=False)
        for model, monitor in models[first : first + AT_ONCE]:
            digest = digests[id(references[model])]
            layouts = layouts_of(model, monitor, references[model], digest=digest)
            versions[model] = _version(digest, monitor, layouts)
            pipe.hset(names.layouts(model), mapping=_fields([*layouts.values(), *_arms(monitor, layouts)]))
        await pipe.execute()
    return versions


async def _replaced(
    redis: Redis, names: Names, versions: Mapping[str, Version], *, monitors: Monitors, said: tuple[int, int | None],
    after: int,
) -> Generation:  # fmt: skip
    """One attempt; ``said`` is (now, greatest clock).

    :raises WatchError: another generation was published meanwhile.
    """
    now_ms, clock_ms = said
    async with redis.pipeline(transaction=True) as pipe:
        await pipe.watch(names.config)
        current = await read(redis, names)
        models = {
            model: changed_over(version, await _standing(redis, names, current, model=model), clock_ms=clock_ms)
            for model, version in versions.items()
        }
        number = max(current.number if current else 0, after) + 1
        generation = Generation(
            number=number, applied_ms=now_ms, file_sha256=monitors.sha256, models=models,
            sources=monitors.sources, route=monitors.route, receivers=monitors.receivers,
            gpus=monitors.gpus,
        )  # fmt: skip
        pipe.multi()  # type: ignore[no-untyped-call]
        pipe.hset(names.config, mapping=_document(generation))
        await pipe.execute()
    return generation


async def put_back(
    redis: Redis, names: Names, generation: Generation, *, references: Mapping[str, Reference], held: Stamp | None
) -> bool:
    """Put a generation into force as it was, its switches too; False where Redis does not hold ``held`` any more.

    :param references: all that ``digests_of`` names, by hash.
    """
    await _store_references(redis, names, generation, references=references)
    async with redis.pipeline(transaction=True) as pipe:
        await pipe.watch(names.config)
        if await read_stamp(redis, names) != held:
            return False
        pipe.multi()  # type: ignore[no-untyped-call]
        pipe.hset(names.config, mapping=_document(generation))
        try:
            await pipe.execute()
        except WatchError:
            return False
    return True


async def _store_references(
    redis: Redis, names: Names, generation: Generation, *, references: Mapping[str, Reference]
) -> None:
    for digest in sorted(digests_of(generation)):
        await redis.set(names.reference(digest), zlib.compress(references[digest].to_json()))
    for model, force in generation.models.items():
        pipe = redis.pipeline(transaction=False)
        for digest, monitor in _pairs(force):
            layouts = layouts_of(model, monitor, references[digest], digest=digest)
            pipe.hset(names.layouts(model), mapping=_fields([*layouts.values(), *_arms(monitor, layouts)]))
        await pipe.execute()


def digests_of(generation: Generation) -> frozenset[str]:
    """The hashes of all references that a generation names."""
    return frozenset(digest for force in generation.models.values() for digest, _ in _pairs(force))


def _document(generation: Generation) -> dict[Any, Any]:
    return {
        "generation": generation.number,
        "applied_ms": generation.applied_ms,
        "document": generation.to_json(),
    }


async def _standing(redis: Redis, names: Names, current: Generation | None, *, model: str) -> Standing:
    force = current.models.get(model) if current else None
    if force is None:
        return Standing(None)
    now = await _read_version(redis, names, (force.reference, force.monitor), model=model)
    before = await _read_version(redis, names, force.previous, model=model)
    arms_before = await _read_version(redis, names, force.arms_previous, model=model)
    return Standing(now, Switch(before, force.from_ms), Switch(arms_before, force.arms_from_ms))


async def _read_version(
    redis: Redis, names: Names, pair: tuple[str, ModelMonitor] | None, *, model: str
) -> Version | None:
    """What was in force; None where its reference is lost, which must not keep a new one from coming into force."""
    if pair is None:
        return None
    digest, monitor = pair
    try:
        reference = await read_reference(redis, names, digest)
    except StoreError:
        return None
    return _version(digest, monitor, layouts_of(model, monitor, reference, digest=digest))


def _version(digest: str, monitor: ModelMonitor, layouts: Layouts) -> Version:
    arms = {layout.stream: layout.hash for layout in _arms(monitor, layouts)}
    return Version(digest, monitor, {stream: layout.hash for stream, layout in layouts.items()}, arms)


def _arms(monitor: ModelMonitor, layouts: Layouts) -> list[Layout]:
    found = (arms_layout(layout, monitor.release) for layout in layouts.values())
    return [layout for layout in found if layout is not None]


def _fields(layouts: Iterable[Layout]) -> dict[Any, Any]:
    return {f"{layout.stream}:{layout.hash}": layout.to_json() for layout in layouts}


def _pairs(force: InForce) -> list[tuple[str, ModelMonitor]]:
    before = (force.previous, force.arms_previous)
    return [(force.reference, force.monitor), *(pair for pair in before if pair is not None)]
