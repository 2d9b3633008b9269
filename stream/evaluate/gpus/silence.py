"""GPUs of which nothing is heard: a whole host, whose agent or network it is most likely, or one GPU of a host that goes on.  Pure.

One that was replaced is not silent: another one in its place is heard of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.gpus import Sample
from stream.evaluate.gpus.rules import NO_DATA, OK, Found, said
from stream.evaluate.verdicts.verdict import Clear, Verdict

MINUTE = 60_000
RULE = "gpu_silent"
#: After so long a GPU of which nothing was heard is forgotten.
FORGOTTEN_AFTER_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Unheard:
    """For how long (ms) nothing was heard of a GPU; ``newest`` is its newest sample."""

    newest: Sample
    quiet_ms: int


def silence_verdicts(gpus: Sequence[Unheard], *, after_ms: int, at_ms: int) -> Iterator[Verdict | Clear]:
    """Of each host and each GPU whether it is silent, at ``at_ms``."""
    away = {sample.name for sample in replaced(gpus, after_ms=after_ms)}
    for host, there in _by_host(gpus).items():
        since = min(one.quiet_ms for one in there)
        last = max(one.newest.timestamp for one in there)
        whole = _found(since, after_ms, last_ms=last, n=len(there))
        yield said(RULE, (f"host:{host}", None), whole, start_ms=at_ms - MINUTE)
        for one in there:
            # A host that is silent says it for all of its GPUs.
            quiet = 0 if one.newest.name in away else one.quiet_ms
            alone = _found(quiet, after_ms, last_ms=one.newest.timestamp, n=1)
            found = NO_DATA if whole.state == "firing" else alone
            yield said(RULE, (one.newest.subject, one.newest.uuid), found, start_ms=at_ms - MINUTE)


def replaced(gpus: Sequence[Unheard], *, after_ms: int) -> list[Sample]:
    """The silent ones in whose place (host and index) another one is heard of."""
    heard = {one.newest.subject for one in gpus if one.quiet_ms <= after_ms}
    return [one.newest for one in gpus if one.quiet_ms > after_ms and one.newest.subject in heard]


def _found(quiet_ms: int, after_ms: int, *, last_ms: int, n: int) -> Found:
    if quiet_ms <= after_ms:
        return OK
    return Found("firing", last_ms, last_ms + MINUTE, quiet_ms / 1000, after_ms / 1000, n)


def _by_host(gpus: Sequence[Unheard]) -> Mapping[str, Sequence[Unheard]]:
    found: dict[str, list[Unheard]] = {}
    for one in gpus:
        found.setdefault(one.newest.host, []).append(one)
    return found
