"""What was last concluded of each finding key, and what the next verdicts add: edges and refreshes, nothing else.

Pure: the same verdicts on the same standing give the same findings, so a judgement repeated after a crash repeats itself.
The standing of a model's stream is stored by the script that stores what was concluded, as JSON (``to_json``).

A finding leaves when a verdict fires (again at each judgement: a refresh), and once when a key that was told firing is judged
clear or can no longer be judged.  A key that was never told, or told clear, stays silent.  A verdict older than the key's
newest (a revised old window) says nothing and changes nothing.

**Onset.**  A window that is clear says: nothing had begun that would show by its end, but something may have begun inside it.
So an episode began after the *start* of the last clear window (of the first window judged, where none was clear) and no
later than the end of the first firing one.  A step that shows by itself once it fills a window always lies within; a slow
ramp may have begun earlier: the coverage is that of a step.  The interval stays as it is while the episode lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from schemas.findings import Finding, Onset, Severity
from stream.evaluate.finding_of import finding_of
from stream.evaluate.verdict import Judged, Verdict
from stream.evaluate.watched import Watched

Revision = tuple[int, int]
#: How often the interval of an onset should hold the beginning of a step.
STEP_COVERAGE = 0.95


class Stood(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one key.  ``told`` is the last state that left, None before the first; ``clear`` is the start of the
    last clear window (or of the first one judged); ``onset`` is (lo, hi) of the episode, while one lasts."""

    rev: Revision
    told: Judged | None
    severity: Severity
    clear: int
    onset: tuple[int, int] | None = None


_DECODER = msgspec.json.Decoder(dict[str, Stood])


@dataclass(frozen=True, slots=True)
class Standing:
    """Every key of one model's stream that was ever judged."""

    keys: Mapping[str, Stood] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The stored form."""
        return msgspec.json.encode(self.keys)

    @staticmethod
    def from_json(stored: bytes) -> Standing:
        """What ``to_json`` wrote.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        return Standing(_DECODER.decode(stored))


def conclude(
    verdicts: Iterable[Verdict], standing: Standing, *, at_ms: int, late: int, seen_ms: int, watched: Watched
) -> tuple[list[Finding], Standing]:
    """The findings that these verdicts are worth, and what stands after them.

    :param at_ms: end of the judged pane or window, event time; ``late``: late events in it.  Together they are the revision.
    :param seen_ms: when it is decided.
    """
    findings: list[Finding] = []
    keys = dict(standing.keys)
    for verdict in verdicts:
        before = keys.get(verdict.key)
        if before is not None and (at_ms, late) < before.rev:
            continue
        after = _after(before, verdict, rev=(at_ms, late))
        keys[verdict.key] = after
        if _is_news(before, verdict):
            findings.append(
                finding_of(verdict, watched, rev=after.rev, onset=_onset(before, after, verdict), seen_ms=seen_ms)
            )
    return findings, Standing(keys)


def _after(before: Stood | None, verdict: Verdict, *, rev: Revision) -> Stood:
    told = before.told if before else None
    clear = verdict.start_ms if before is None or verdict.state == "ok" else before.clear
    if verdict.state == "firing":
        return Stood(rev, "firing", verdict.severity, clear, _episode(before, verdict, clear=clear, at_ms=rev[0]))
    if _is_news(before, verdict):
        told = verdict.state
    onset = before.onset if before and verdict.state == "no_data" else None
    return Stood(rev, told, verdict.severity, clear, onset)


def _episode(before: Stood | None, verdict: Verdict, *, clear: int, at_ms: int) -> tuple[int, int]:
    if before is not None and before.onset is not None:
        return before.onset
    if verdict.onset is not None:
        return verdict.onset.lo, verdict.onset.hi
    return clear, at_ms


def _is_news(before: Stood | None, verdict: Verdict) -> bool:
    if verdict.state == "firing":
        return True
    told = before.told if before else None
    return told in ("firing", "no_data") and told != verdict.state


def _onset(before: Stood | None, after: Stood, verdict: Verdict) -> Onset:
    """Of the episode that lasts, or of the one that this verdict ends."""
    lo, hi = after.onset or (before.onset if before and before.onset else (after.clear, after.rev[0]))
    return Onset(lo, hi, verdict.onset.coverage if verdict.onset else STEP_COVERAGE)
