"""Rules on the samples of one GPU, one a minute, at the end of a minute of event time.  Pure.

=================  ==============================================================  ========
rule               fires where                                                     severity
=================  ==============================================================  ========
gpu_memory         every sample of five minutes, three at least, has this share     P2
                   of memory in use
gpu_temperature    the newest sample is as hot as this                              P2
gpu_throttled      the newest sample is slowed down by heat or the power brake      P3
gpu_lost           the newest sample says that the GPU is not available             P1
gpu_ecc            an uncorrectable memory error was counted within the hour        P1
gpu_xid            an Xid code appeared within the hour                             by code
=================  ==============================================================  ========

What was not measured is not judged: ``no_data``, as is all of a GPU that is silent (:mod:`stream.evaluate.gpus.silence`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from schemas.findings import Onset, Severity, finding_key
from schemas.gpus import JUDGED_EVERY_MS, Sample
from schemas.monitored import GpuMonitor
from stream.evaluate.gpus.throttling import troubles
from stream.evaluate.gpus.xids import grade_of, meaning_of
from stream.evaluate.verdicts.standing import STEP_COVERAGE
from stream.evaluate.verdicts.verdict import Clear, Evidence, Judged, Verdict

MINUTE = 60_000
#: Memory must be nearly full for so long, in so many samples at least.
FULL_MS, FULL_SAMPLES = 5 * MINUTE, 3
#: An error that appeared is told for so long.
ERROR_MS = 60 * MINUTE
RULES = ("gpu_memory", "gpu_temperature", "gpu_throttled", "gpu_lost", "gpu_ecc", "gpu_xid")
SEVERITIES: dict[str, Severity] = {
    "gpu_memory": "P2", "gpu_temperature": "P2", "gpu_throttled": "P3", "gpu_lost": "P1", "gpu_ecc": "P1",
    "gpu_xid": "P3", "gpu_silent": "P2",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule says of the samples: whether it fires, since when (after ``lo``, by ``hi``), and by what."""

    state: Judged
    lo: int = 0
    hi: int = 0
    value: float | None = None
    threshold: float | None = None
    n: int | None = None
    severity: Severity | None = None
    cause: str | None = None


#: The place, and which card in it (None: a whole host).
About = tuple[str, str | None]
NO_DATA, OK = Found("no_data"), Found("ok")


def gpu_verdicts(samples: Sequence[Sample], limits: GpuMonitor, *, at_ms: int) -> Iterator[Verdict | Clear]:
    """Every rule at ``at_ms``; ``samples`` (one at least) are those before it, oldest first: an hour's and the one before."""
    newest = samples[-1]
    silent = at_ms - newest.timestamp > limits.silent_after_ms
    for rule in RULES:
        found = NO_DATA if silent else _JUDGES[rule](samples, limits, at_ms)
        yield said(rule, (newest.subject, newest.uuid), found, start_ms=at_ms - MINUTE)


def said(rule: str, about: About, found: Found, *, start_ms: int) -> Verdict | Clear:
    """The verdict; of one that does not fire nothing stands, unless somebody was told that it did."""
    whole = partial(_verdict, rule, about, found, start_ms=start_ms)
    if found.state == "firing":
        return whole()
    subject, scope = about
    return Clear((finding_key(rule, subject, segment=scope),), start_ms, lambda key: whole())


def _verdict(rule: str, about: About, found: Found, *, start_ms: int) -> Verdict:
    subject, scope = about
    evidence: Evidence = {} if found.cause is None else {"cause": found.cause}
    return Verdict(
        rule=rule, kind="gpu", subject=subject, scope=scope, state=found.state,
        severity=found.severity or SEVERITIES[rule], start_ms=start_ms, memory=_MEMORY.get(rule, MINUTE),
        every=JUDGED_EVERY_MS, value=found.value, threshold=found.threshold, n=found.n, evidence=evidence,
        onset=Onset(found.lo, found.hi, STEP_COVERAGE) if found.state == "firing" else None,
    )  # fmt: skip


_MEMORY = {"gpu_memory": MINUTE, "gpu_ecc": ERROR_MS, "gpu_xid": ERROR_MS}


def _memory(samples: Sequence[Sample], limits: GpuMonitor, at_ms: int) -> Found:
    shares = [
        share for one in samples if one.timestamp >= at_ms - FULL_MS and (share := one.memory_share()) is not None
    ]
    if len(shares) < FULL_SAMPLES:
        return NO_DATA
    if min(shares) < limits.memory:
        return OK
    lo, hi = _since(samples, lambda one: (one.memory_share() or 0.0) >= limits.memory)
    return Found("firing", lo, hi, shares[-1], limits.memory, len(shares))


def _temperature(samples: Sequence[Sample], limits: GpuMonitor, at_ms: int) -> Found:
    value = samples[-1].metrics.get("temperature_celsius")
    if value is None:
        return NO_DATA
    if value < limits.temperature:
        return OK
    lo, hi = _since(samples, lambda one: one.metrics.get("temperature_celsius", 0.0) >= limits.temperature)
    return Found("firing", lo, hi, value, limits.temperature, 1)


def _throttled(samples: Sequence[Sample], limits: GpuMonitor, at_ms: int) -> Found:
    mask = samples[-1].metrics.get("throttle_reasons")
    if mask is None:
        return NO_DATA
    reasons = troubles(int(mask))
    if not reasons:
        return OK
    lo, hi = _since(samples, lambda one: bool(troubles(int(one.metrics.get("throttle_reasons", 0)))))
    return Found("firing", lo, hi, mask, n=1, cause=", ".join(reasons))


def _lost(samples: Sequence[Sample], limits: GpuMonitor, at_ms: int) -> Found:
    available = samples[-1].metrics.get("available")
    if available is None:
        return NO_DATA
    if available > 0:
        return OK
    lo, hi = _since(samples, lambda one: one.metrics.get("available") == 0)
    return Found("firing", lo, hi, available, 1.0, 1)


def _ecc(samples: Sequence[Sample], limits: GpuMonitor, at_ms: int) -> Found:
    """A counter: what it rose by is new, and where it fell it began anew from 0; what it began with is old."""
    known = [one for one in samples if "ecc_uncorrected" in one.metrics]
    if not known:
        return NO_DATA
    recent = [pair for pair in pairwise(known) if pair[1].timestamp >= at_ms - ERROR_MS]
    new = [(rise, earlier, later) for earlier, later in recent if (rise := _risen(earlier, later)) > 0]
    if not new:
        return OK
    _, earlier, later = new[0]
    errors = sum(rise for rise, _, _ in new)
    return Found("firing", earlier.timestamp, later.timestamp, errors, 0.0, len(known), cause=_errors(int(errors)))


def _xid(samples: Sequence[Sample], limits: GpuMonitor, at_ms: int) -> Found:
    """The gravest code that is new, of equally grave ones the newest; ``n`` is how many errors there were."""
    nothing = Sample(timestamp=samples[0].timestamp - MINUTE, host="", gpu="")
    new: list[tuple[int, int, int]] = []
    errors = 0
    for earlier, later in pairwise([nothing, *samples]):
        if later.timestamp >= at_ms - ERROR_MS and (count := _new_xids(earlier, later)) > 0:
            new.append((int(later.metrics["xid"]), earlier.timestamp, later.timestamp))
            errors += count
    if not new:
        return OK
    code, lo, hi = min(new, key=lambda found: (grade_of(found[0]), -found[2]))
    return Found("firing", lo, hi, float(code), n=errors, severity=grade_of(code), cause=meaning_of(code))


def _new_xids(earlier: Sample, later: Sample) -> int:
    """The code is the last one since the agent began, as is the count, where it is told: so one code may come again.

    Without a count another code is new, and the first that is seen was not there before: an agent begins without.
    """
    code, count = later.metrics.get("xid"), later.metrics.get("xid_errors")
    if code is None:
        return 0
    known = earlier.metrics.get("xid_errors")
    if count is None or known is None:
        return int(code != earlier.metrics.get("xid"))
    return int(_grown(known, count))


def _risen(earlier: Sample, later: Sample) -> float:
    return _grown(earlier.metrics["ecc_uncorrected"], later.metrics["ecc_uncorrected"])


def _grown(before: float, after: float) -> float:
    """By how much a count grew; one that fell began anew from 0."""
    return after - before if after >= before else after


def _errors(count: int) -> str:
    return f"{count} uncorrectable memory error{'' if count == 1 else 's'} within the hour"


def _since(samples: Sequence[Sample], holds: Callable[[Sample], bool]) -> tuple[int, int]:
    """Since when it has held without a break: after the sample before, by the first one in which it does."""
    hi = samples[-1].timestamp
    for one in reversed(samples):
        if not holds(one):
            return one.timestamp, hi
        hi = one.timestamp
    return hi - MINUTE, hi


_JUDGES: dict[str, Callable[[Sequence[Sample], GpuMonitor, int], Found]] = {
    "gpu_memory": _memory, "gpu_temperature": _temperature, "gpu_throttled": _throttled, "gpu_lost": _lost,
    "gpu_ecc": _ecc, "gpu_xid": _xid,
}  # fmt: skip
