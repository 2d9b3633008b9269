"""What was last concluded of each finding key, and what the next verdicts add: edges and refreshes, nothing else.

Pure: the same verdicts on the same standing give the same findings, so a judgement repeated after a crash repeats itself.
The standing of a model's stream is stored by the script that stores what was concluded, as JSON (``to_json``).

A finding leaves when a verdict fires (again at each judgement: a refresh), and once when a key that was told firing is judged
clear or can no longer be judged.  A key that was never told, or told clear, stays silent.  A verdict older than the key's
newest (a revised old window) says nothing and changes nothing.  One that ``lasts`` is a refresh of what was told, and else clear.

**Revisions.**  The end of what was judged and the events in it: a pane only gains events, so another verdict on the same window
has a greater number, whether its events were late by their partition's clock or not; and the same events give the same number,
so a replay numbers alike.

**Onset.**  A window that is clear says: nothing had begun that would show by its end, but something may have begun inside it.
So an episode began after the *start* of the last clear window (of the first window judged, where none was clear) and no
later than the end of the first firing one.  A step that shows once it fills a window always lies within; a slow ramp may
have begun earlier: the coverage is that of a step.  The interval stays as it is while the episode lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from schemas.findings import Finding, Onset
from stream.evaluate.verdicts.finding_of import Named, finding_of
from stream.evaluate.verdicts.verdict import Clear, Fine, Quiet, Verdict

#: (end of what was judged, events in it): verdicts of one key are ordered by it.
Revision = tuple[int, int]
#: How often the interval of an onset should hold the beginning of a step.
STEP_COVERAGE = 0.95


class Stood(msgspec.Struct, frozen=True, array_like=True):
    """One key: its newest revision, the start of the last clear window (or of the first one judged), and the finding that
    was last told, without its evidence; None where nothing was told or the last thing told was that it is over."""

    rev: Revision
    clear: int
    told: Finding | None = None


_DECODER = msgspec.json.Decoder(dict[str, Stood])


@dataclass(frozen=True, slots=True)
class Standing:
    """Every key of one model's stream that is judged."""

    keys: Mapping[str, Stood] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The stored form."""
        return msgspec.json.encode(self.keys)

    def next_of(self, key: str, *, at_ms: int, least: int) -> int:
        """A number that a further verdict at the same event time may have: greater than all before, and ``least`` or more.

        >>> stood = Standing({"k": Stood((60, 900), 0)})
        >>> [stood.next_of("k", at_ms=at, least=least) for at, least in ((60, 950), (60, 850), (70, 850))]
        [950, 901, 850]
        """
        before = self.keys.get(key)
        return least if before is None or before.rev[0] != at_ms else max(least, before.rev[1] + 1)

    @staticmethod
    def from_json(stored: bytes) -> Standing:
        """What ``to_json`` wrote.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        return Standing(_DECODER.decode(stored))


def conclude(
    verdicts: Iterable[Verdict | Quiet | Clear | Fine],
    standing: Standing,
    *,
    at_ms: int,
    revision: int,
    seen_ms: int,
    watched: Named,
) -> tuple[list[Finding], Standing]:
    """The findings that these verdicts are worth, and what stands after them.

    :param at_ms: end of the judged pane or window, event time; ``revision``: how many events are in it, or another
        number that grows where the same is judged anew.
    :param seen_ms: when it is decided.
    """
    findings: list[Finding] = []
    keys = dict(standing.keys)
    rev = (at_ms, revision)
    for said in _asked(verdicts, standing):
        if isinstance(said, Fine):
            _stand(keys, said, rev)
            continue
        key = said.key
        before = keys.get(key) or Stood((at_ms, -1), said.start_ms)
        if rev < before.rev:
            continue
        if before.told is None and said.state != "firing":
            keys[key] = Stood(rev, said.start_ms if said.state == "ok" else before.clear)
            continue
        verdict = _lasting(said.whole(), before.told)
        found = _news(before, verdict, watched, rev=rev, seen_ms=seen_ms)
        findings += [found] if found else []
        keys[key] = _after(before, verdict, rev=rev, found=found)
    return findings, Standing(keys)


def withdraw(
    standing: Standing, judged: Collection[str], *, at_ms: int, seen_ms: int
) -> tuple[list[Finding], Standing]:
    """What a new configuration leaves: keys that no rule judges any more are forgotten, and told ``removed`` if told firing.

    :param judged: the keys that still are (`stream.evaluate.judging.judged_keys.keys_of`).
    """
    gone = {key: stood for key, stood in standing.keys.items() if key not in judged}
    kept = {key: stood for key, stood in standing.keys.items() if key in judged}
    told = [(stood, stood.told) for stood in gone.values() if stood.told is not None]
    return [_removed(stood, last, at_ms=at_ms, seen_ms=seen_ms) for stood, last in told], Standing(kept)


def _asked(verdicts: Iterable[Verdict | Quiet | Clear | Fine], standing: Standing) -> Iterator[Verdict | Quiet | Fine]:
    """One by one; of keys that are clear together those that somebody was told of, and all that are fine if nobody was."""
    for said in verdicts:
        if isinstance(said, Clear):
            yield from (said.whole(key) for key in said.keys if _is_told(standing, key))
        elif isinstance(said, Fine) and any(_is_told(standing, key) for key in said.keys):
            yield from said.each()
        else:
            yield said


def _is_told(standing: Standing, key: str) -> bool:
    stood = standing.keys.get(key)
    return stood is not None and stood.told is not None


def _stand(keys: dict[str, Stood], said: Fine, rev: Revision) -> None:
    """What ``conclude`` does with a quiet verdict of each key, none of which was told."""
    stood = Stood(rev, said.start_ms)
    for key in said.keys:
        if key not in keys or keys[key].rev <= rev:
            keys[key] = stood


def _lasting(verdict: Verdict, last: Finding | None) -> Verdict:
    """Firing still, where it is not clear and was told to fire."""
    if verdict.lasts and last is not None and last.state == "firing":
        return msgspec.structs.replace(verdict, state="firing")
    return verdict


def _news(before: Stood, verdict: Verdict, watched: Named, *, rev: Revision, seen_ms: int) -> Finding | None:
    last = before.told
    if verdict.state != "firing" and (last is None or last.state == verdict.state):
        return None
    return finding_of(
        verdict,
        watched,
        rev=rev,
        severity=last.severity if last and verdict.state != "firing" else verdict.severity,
        onset=last.onset if last else _onset(before, verdict, at_ms=rev[0]),
        seen_ms=seen_ms,
    )


def _onset(before: Stood, verdict: Verdict, *, at_ms: int) -> Onset:
    return verdict.onset or Onset(before.clear, at_ms, STEP_COVERAGE)


def _after(before: Stood, verdict: Verdict, *, rev: Revision, found: Finding | None) -> Stood:
    if verdict.state == "ok":
        return Stood(rev, verdict.start_ms)
    told = before.told if found is None else msgspec.structs.replace(found, evidence={})
    return Stood(rev, before.clear, told)


def _removed(stood: Stood, last: Finding, *, at_ms: int, seen_ms: int) -> Finding:
    at, revision = stood.rev
    rev = (at_ms, 0) if at_ms > at else (at, revision + 1)
    return msgspec.structs.replace(last, state="removed", rev=rev, at=rev[0], seen=seen_ms)
