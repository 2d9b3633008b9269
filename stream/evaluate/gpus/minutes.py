"""The samples of a GPU cut into what is known at the end of each minute, and judged there.  Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.findings import finding_key
from schemas.gpus import Sample
from schemas.monitored import GpuMonitor
from stream.evaluate.gpus.rules import ERROR_MS, RULES, gpu_verdicts
from stream.evaluate.gpus.silence import RULE, Unheard
from stream.evaluate.verdicts.verdict import Clear, Verdict
from stream.state.gpus import MINUTE, MINUTES


@dataclass(slots=True, eq=False)
class Judged:
    """A minute of all GPUs: what their rules say, and how long each was not heard of."""

    verdicts: list[Verdict | Clear] = field(default_factory=list)
    unheard: list[Unheard] = field(default_factory=list)


def minutes_of(
    samples: Sequence[Sample], ends: Iterable[int], limits: GpuMonitor
) -> Iterator[tuple[int, list[Verdict | Clear], Sample]]:
    """At each end: the verdicts on the samples before it, and the newest of them; nothing before the first sample."""
    times = [sample.timestamp for sample in samples]
    for end in ends:
        until = bisect_left(times, end)
        if until:
            # The hour's, and one before by which what is new is told.
            first = max(bisect_left(times, end - ERROR_MS) - 1, 0)
            known = samples[first:until] if first < until else samples[until - 1 : until]
            yield end, list(gpu_verdicts(known, limits, at_ms=end)), samples[until - 1]


def judged_from(last_ms: int | None, *, earliest_ms: int | None, end_ms: int) -> int:
    """Behind which time minutes are judged: the last one judged, the first sample, or else only the newest minute.

    What is older than a history is only kept, however long nobody judged.

    >>> noon, cut = 12 * 60 * MINUTE, MINUTES * MINUTE
    >>> [judged_from(last, earliest_ms=7, end_ms=noon + cut) - noon for last in (noon - 1, noon, noon + 1)]
    [0, 0, 1]
    >>> [judged_from(None, earliest_ms=first, end_ms=noon) for first in (7, MINUTE + 7, None)] == [0, MINUTE, noon - MINUTE]
    True
    """
    if last_ms is None:
        last_ms = end_ms - MINUTE if earliest_ms is None else earliest_ms - earliest_ms % MINUTE
    return max(last_ms, end_ms - MINUTES * MINUTE)


def heeded(verdicts: Iterable[Verdict | Clear], fired: set[str]) -> Iterator[Verdict | Clear]:
    """Those that fire, and of the others those of which somebody was told or will be; ``fired`` grows by what fires."""
    for one in verdicts:
        if isinstance(one, Verdict):
            fired.add(one.key)
            yield one
        elif not fired.isdisjoint(one.keys):
            yield one


def keys_of(samples: Iterable[Sample]) -> set[str]:
    """The keys of all findings there can be about these GPUs and their hosts."""
    found: set[str] = set()
    for one in samples:
        found |= {finding_key(rule, one.subject, segment=one.uuid) for rule in (*RULES, RULE)}
        found.add(finding_key(RULE, f"host:{one.host}"))
    return found
