"""Stores what was concluded of one model's stream: closed panes, reports, totals and messages, in one fenced script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import msgspec
from redis.asyncio import Redis

from schemas import findings, releases, reports
from schemas.findings import Finding, Progress
from schemas.names import Names
from schemas.releases import Decision
from schemas.reports import Report
from stream.evaluate.storing.breath import Asking
from stream.evaluate.storing.post import Post
from stream.kill_points import passing
from stream.state.lua import script
from stream.state.packing import Partial, pack

#: Messages, or keys that stand: so many take the event loop some milliseconds to pack.
MANY = 500
#: Reports that a window's history keeps, about.
HISTORY = 500
FINDINGS, REPORTS, RELEASES = "findings", "drift-reports", "releases"
#: All findings have one key, so that one owner decides about pages.
FINDINGS_KEY = b"findings"

Outcome = Literal["stored", "fenced", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Told:
    """A report and its document, what its window is kept under, and whether it is the newest of its window."""

    report: Report
    label: str
    newest: bool
    document: bytes


@dataclass(frozen=True, slots=True)
class Ruled:
    """A decision on a release: its document, when, and what people look for beside it."""

    document: bytes
    at_ms: int
    fields: Mapping[str, str | int]


@dataclass(eq=False, slots=True)
class Conclusion:
    """What one script writes.  ``rows``: by the key of their hash; ``last``: the stored one ("" before the first)."""

    model: str
    stream: str
    last: str
    fields: dict[str, str | bytes | int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    messages: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    rows: dict[str, dict[int, bytes | Partial]] = field(default_factory=dict)
    reports: list[Told] = field(default_factory=list)
    decisions: list[Ruled] = field(default_factory=list)

    def tell(self, message: Finding | Progress) -> None:
        """Send a finding or a progress mark."""
        self.messages.append((FINDINGS, FINDINGS_KEY, findings.encode(message)))

    def report(self, report: Report, label: str, *, newest: bool) -> None:
        """Keep a report, and send it."""
        told = Told(report, label, newest, reports.encode(report))
        self.reports.append(told)
        self.messages.append((REPORTS, report.model.encode(), told.document))

    def decide(self, decision: Decision, fields: Mapping[str, str | int]) -> None:
        """Keep a decision on a release, and send it."""
        ruled = Ruled(releases.encode(decision), decision.at, fields)
        self.decisions.append(ruled)
        self.messages.append((RELEASES, decision.model.encode(), ruled.document))

    def row(self, key: str, start_ms: int, row: bytes | Partial) -> None:
        """Write a row of a tier; one that may grow within the batch is packed only as it is in the end."""
        self.rows.setdefault(key, {})[start_ms] = row

    def add(self, totals: Mapping[str, int], *, newest: Mapping[str, int]) -> None:
        """Add to the model's sums; ``newest`` fields are kept at their maximum."""
        if not self.totals and not self.newest:
            self.totals, self.newest = dict(totals), dict(newest)
            return
        for name, amount in totals.items():
            self.totals[name] = self.totals.get(name, 0) + amount
        for name, value in newest.items():
            self.newest[name] = max(value, self.newest.get(name, value))


class Commits:
    """Writes conclusions under a shard's token."""

    def __init__(self, redis: Redis, names: Names, *, keep_ms: int, asking: Asking, post: Post) -> None:
        self._names, self._keep_ms, self._asking, self._post = names, keep_ms, asking, post
        self._conclude = script(redis, "evaluate", "conclude")
        self._number = 0

    async def store(self, conclusion: Conclusion, *, token: int) -> Outcome:
        """Write it whole or not at all; asked again after a lost answer, it is written once."""
        self._number += 1
        head = [token, conclusion.last, f"{token}.{self._number}"]
        pack_all = partial(self._arguments, conclusion, head=head)
        keys, args = await self._asking.beside(pack_all) if len(conclusion.messages) > MANY else pack_all()
        passing("before-conclude")
        answer = await self._asking(lambda: self._post.run(self._conclude, keys=keys, args=args))
        passing("after-conclude")
        match answer[0]:
            case b"stored" | b"again":
                return "stored"
            case b"fenced":
                return "fenced"
            case _:
                return "elsewhere"

    async def show(self, model: str, fields: Mapping[str, str | int]) -> None:
        """The view of a model, for people; not fenced, and one write behind at worst."""
        pairs = [part for pair in fields.items() for part in pair]
        await self._asking(lambda: self._post.ask("HSET", self._names.model_state(model), *pairs))

    async def show_release(self, model: str, fields: Mapping[str, str | int]) -> None:
        """Where a release stands, for people, likewise."""
        pairs = [part for pair in fields.items() for part in pair]
        await self._asking(lambda: self._post.ask("HSET", self._names.release(model), *pairs))

    def _arguments(self, made: Conclusion, *, head: list[Any]) -> tuple[list[str], list[Any]]:
        names, model = self._names, made.model
        keys = [names.evaluation(model, made.stream), names.outbox(model), names.totals(model), *made.rows]
        for told in made.reports:
            keys += [names.report(model, told.label), names.history(model, told.label)]
        keys += [names.release(model), names.decisions(model)] * len(made.decisions)
        newest = {told.label: told for told in made.reports if told.newest}
        sent = {id(value): at for at, (_, _, value) in enumerate(made.messages, start=1)}
        reported = [
            _reported(told, sent[id(told.document)], seen=newest.get(told.label) is told) for told in made.reports
        ]
        reported += [_ruled(ruled, sent[id(ruled.document)]) for ruled in made.decisions]
        messages = [_text(part) for message in made.messages for part in message]
        starts = [[str(start) for start in rows] for rows in made.rows.values()]
        parts = [_flat(made.fields), _numbers(made.totals), _numbers(made.newest), messages, starts, reported]
        packed = [
            row if isinstance(row, bytes) else pack(row) for rows in made.rows.values() for row in rows.values()
        ]  # fmt: skip
        return keys, [*head, self._keep_ms, HISTORY, msgspec.msgpack.encode(parts), *packed]


def _reported(told: Told, message: int, *, seen: bool) -> list[Any]:
    """``seen``: its window's hash is left showing it; a report that a later one of the batch replaces need not be shown."""
    head = ["1" if seen else "0", str(told.report.end), str(told.report.late), message]
    return [*head, _flat(for_people(told.report)) if seen else []]


def _ruled(ruled: Ruled, message: int) -> list[Any]:
    """The newest is left showing."""
    return ["1", str(ruled.at_ms), "0", message, _flat(ruled.fields)]


def for_people(report: Report) -> dict[str, str | int]:
    """The fields of a report's hash beside its document; ``feature:<name>`` and ``prediction:<name>`` hold states."""
    fields: dict[str, str | int] = {
        "state": report.state, "start": report.start, "end": report.end, "events": report.events, "late": report.late,
        "seen": report.seen, "drift_score": "" if report.drift_score is None else f"{report.drift_score:.6g}",
    }  # fmt: skip
    fields |= {f"feature:{name}": column.state for name, column in report.features.items()}
    return fields | {f"prediction:{name}": column.state for name, column in report.prediction.items()}


def _flat(pairs: Mapping[Any, Any]) -> list[str]:
    """Field, value, field, value ..."""
    return [_text(part) for pair in pairs.items() for part in pair]


def _numbers(pairs: Mapping[str, int]) -> list[str]:
    """The same of whole numbers alone."""
    found = [""] * (2 * len(pairs))
    found[0::2], found[1::2] = pairs, map(str, pairs.values())
    return found


def _text(value: str | bytes | int) -> str:
    """As the script reads it: its numbers are inexact above 2**53, and it knows no binary parts."""
    return value if isinstance(value, str) else value.decode() if isinstance(value, bytes) else str(value)
