"""Walks a release forward: each health window that all its streams have reached is judged, and what is decided leaves with it.

A turn is stored whole, by the script that stores any conclusion: state, decisions and findings together, so a worker that ends in
between repeats it, and decides the same.  While a stream is warming panes may be missing: such windows are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from schemas.findings import Progress
from schemas.releases import Decision
from stream.evaluate.closing.arms_phases import phase_at
from stream.evaluate.closing.closing import Desk, Due, Refused
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.windows import boundary_before
from stream.evaluate.releases.ahead import Ahead
from stream.evaluate.releases.naming import named
from stream.evaluate.releases.ordering import obeyed
from stream.evaluate.releases.reading import Span, window_of
from stream.evaluate.releases.shown import shown_answer, shown_decision, shown_state, shown_window
from stream.evaluate.releases.step import step, step_of_harm
from stream.evaluate.releases.telling import verdict_of
from stream.evaluate.releases.unit import RELEASE, REMEMBERED, Release
from stream.evaluate.storing.commit import Conclusion
from stream.evaluate.verdicts.standing import conclude
from stream.state.store import PANES_A_BLOCK


class Judging:
    """One turn of one model."""

    def __init__(self, desk: Desk, release: Release, *, due: Due) -> None:
        self._desk, self._release, self._due = desk, release, due
        self._made, self._view = self._begun(), dict[str, str | int]()

    async def run(self) -> None:
        """Judge all that became complete since the last turn, and store it.

        :raises Refused: something was not stored.
        :raises StoreError: a pane is damaged.
        """
        release, windows = self._release, 0
        if release.last is None:
            release.last = release.first_ms
        self._name()
        self._obey()
        while release.next_end <= release.closed:
            end = release.next_end
            if release.state.runs:
                await self._judge(end)
                windows += 1
            else:
                end = self._onward(end)
            release.last = end
            self._name()
            if windows >= PANES_A_BLOCK:
                await self._store()
                windows = 0
        await self._look_ahead()
        await self._store()

    async def _look_ahead(self) -> None:
        """Judge what is known of windows for which a silent stream is waited for: harm alone, a block of windows a turn."""
        release = self._release
        for _ in range(PANES_A_BLOCK):
            known, monitor = release.known_ahead, release.counted.release
            if not known or monitor is None or self._due.holds(release.end_ahead):
                return
            last, ahead = release.last or 0, release.ahead
            if ahead is None or not ahead.follows(release.state, last):
                ahead = Ahead(last, release.state)
            span = Span(ahead.to_ms, release.end_ahead, ahead.to_ms)
            window = await window_of(self._desk.merged, release.counted, span, streams=known)
            asking = self._desk.merged.asking
            after, decision, evidence = await asking.beside(partial(step_of_harm, ahead.state, window, monitor))
            release.ahead = Ahead(span.end_ms, after)
            if decision is not None:
                self._view |= shown_window(evidence)
                release.state, release.last = (
                    after,
                    span.end_ms,
                )  # it is final: what a late stream says is not asked any more
                self._decide([decision])
                self._tell(span.end_ms)

    def _begun(self) -> Conclusion:
        return Conclusion(self._release.model, RELEASE, self._release.expected)

    def _onward(self, end_ms: int) -> int:
        """Nothing runs: over all that is closed at once, up to where another configuration begins."""
        closed, until = self._release.closed, self._release.counted.until_ms
        if until is not None and until <= closed:
            return until
        return max(end_ms, boundary_before(closed, step_ms=self._release.every_ms))

    def _name(self) -> None:
        """What the file says of the window that comes next."""
        release = self._release
        before, at = release.state, release.last or 0
        release.state, found = named(before, release.counted.release, at_ms=at)
        self._decide(found)
        if release.state != before:
            self._tell(at)

    def _obey(self) -> None:
        """What a person ordered since the last turn."""
        release, order, at = self._release, self._release.order, self._release.last or 0
        if order is None or not release.is_ordered:
            return
        release.state, decision, answer = obeyed(release.state, order, at_ms=at)
        release.ordered = (*release.ordered, order.id)[-REMEMBERED:]
        self._view |= shown_answer(order, answer)
        if decision is not None:
            self._made.decide(decision, {**shown_decision(decision), **shown_answer(order, answer)})
            if not release.state.runs:
                self._tell(at)

    async def _judge(self, end_ms: int) -> None:
        release, counted, start = self._release, self._release.counted, self._release.last or 0
        monitor, state = counted.release, release.state
        if monitor is None or self._due.holds(end_ms):
            return
        known_from = state.since + counted.monitor.lateness_ms
        span = Span(start, end_ms, known_from)
        window = await window_of(self._desk.merged, counted, span)
        after, decision, evidence = await self._desk.merged.asking.beside(partial(step, state, window, monitor))
        self._view |= shown_window(evidence)
        self._desk.tally.windows += 1
        await self._desk.merged.breath()
        if after.runs and not self._is_named_from(end_ms):
            return  # what ends here goes no further and is held by nothing; that it was found bad, or is complete, is told
        release.state = after
        if decision is not None:
            self._decide([decision])
            if not after.runs:
                self._tell(end_ms)

    def _is_named_from(self, at_ms: int) -> bool:
        """Whether the file still names the two versions then."""
        named = phase_at(self._release.phases, at_ms).release
        return named is not None and (named.champion, named.challenger) == self._release.state.pair

    def _decide(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            self._made.decide(decision, shown_decision(decision))

    def _tell(self, at_ms: int) -> None:
        """A release that was rolled back is its owner's to know; it is over when the file names another, or none."""
        release, watched = self._release, self._watched
        seen = self._due.seen(at_ms)
        verdict = verdict_of(release.state, watched, at_ms=at_ms)
        revision = release.standing.next_of(verdict.key, at_ms=at_ms, least=0)
        found, release.standing = conclude(
            [verdict], release.standing, at_ms=at_ms, revision=revision, seen_ms=seen, watched=watched
        )
        self._desk.tally.findings += len(found)
        for finding in found:
            self._made.tell(finding)

    @property
    def _watched(self) -> Watched:
        return self._release.phase.watched

    async def _store(self) -> None:
        """Store what was decided, and how far everything is judged."""
        release, made, desk = self._release, self._made, self._desk
        release.judged_by = release.generation
        made.tell(
            Progress(model=release.model, stream=RELEASE, at=release.told_to, seen=self._due.seen(release.told_to))
        )
        made.fields |= release.fields()
        outcome = await desk.commits.store(made, token=self._due.token)
        if outcome != "stored":
            raise Refused(outcome)
        release.stored = release.last
        desk.sent([release.model])
        await desk.commits.show_release(
            release.model, {**shown_state(release.state), **self._view, "judged_to": release.last or 0}
        )
        self._made, self._view = self._begun(), {}
