"""The canary: from where a release stands and one health window to where it stands then, and what is decided.  Pure.

A challenger that one rule finds bad, or doubtful in two windows on end, or that is surely worse than the champion, is rolled back.
One that nothing holds is promoted to the next share, and complete once it held at the last.  A hold is told when its reasons
change, not window by window.  The same windows give the same decisions, whoever steps and however many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from detectors.experiments.overlap import Overlap
from schemas.release import ReleaseMonitor
from schemas.releases import Check, Code, Compared, Decision, Evidence, Reason
from stream.evaluate.releases.experiment import LEVEL, compared, is_worse, overlap_of
from stream.evaluate.releases.health import checks_of, is_doubted
from stream.evaluate.releases.holding import holds
from stream.evaluate.releases.state import Decided, State, decided
from stream.evaluate.releases.window import HealthWindow

#: Quantities that are compared at every share.
QUANTITIES = 3
_WORSE: dict[str, Code] = {"success": "worse_success", "latency": "worse_latency", "rating": "worse_rating"}


class Step(NamedTuple):
    """What stands after a window, what was decided by it, and by what."""

    state: State
    decision: Decision | None
    evidence: Evidence


def step(state: State, window: HealthWindow, monitor: ReleaseMonitor) -> Step:
    """After a window of a running release; nothing is decided of another one."""
    if not state.runs:
        return Step(state, None, Evidence())
    checks, both = checks_of(window.whole, monitor), state.since_share.with_window(window.settled)
    found, looks = compared(both, state.looks)
    shared = overlap_of(both)
    evidence = _evidence(window, checks, compared=found, shared=shared)
    before = state.doubtful
    doubtful = tuple(check.rule for check in checks if is_doubted(check))
    state = msgspec.structs.replace(
        state, since_share=both, looks=looks, seen=_seen(state, window), doubtful=doubtful
    )  # fmt: skip
    if harm := (*_bad(checks, before), *_worse(found, monitor)):
        return _after(decided(state, "roll_back", 0.0, at_ms=window.end_ms, reasons=harm, evidence=evidence))
    reasons = holds(state, window, monitor, checks=checks, shared=shared)
    if not reasons:
        return _after(_onward(state, window, monitor, evidence=evidence))
    if tuple(reason.code for reason in reasons) == state.told:
        return Step(state, None, evidence)
    return _after(decided(state, "hold", state.share, at_ms=window.end_ms, reasons=reasons, evidence=evidence))


def step_of_harm(state: State, window: HealthWindow, monitor: ReleaseMonitor) -> Step:
    """After a window of which one stream at least is not known: it is rolled back where a rule finds it bad, and no more.

    The state is for the next such window alone: nothing is promoted, held or told by it.
    """
    checks = checks_of(window.whole, monitor)
    evidence = _evidence(window, checks, compared=(), shared=Overlap("not_enough_data"))
    if state.runs and (harm := _bad(checks, state.doubtful)):
        return _after(decided(state, "roll_back", 0.0, at_ms=window.end_ms, reasons=harm, evidence=evidence))
    doubtful = tuple(check.rule for check in checks if is_doubted(check))
    return Step(msgspec.structs.replace(state, doubtful=doubtful), None, evidence)


def _after(made: Decided) -> Step:
    state, decision = made
    return Step(state, decision, decision.evidence)


def _onward(state: State, window: HealthWindow, monitor: ReleaseMonitor, *, evidence: Evidence) -> Decided:
    """The next share that is more than what it has: a file may list others meanwhile."""
    at, healthy = window.end_ms, (Reason("healthy", "every rule is kept"),)
    further = [share for share in monitor.shares if share > state.share]
    if not further:
        return decided(state, "complete", 1.0, at_ms=at, reasons=healthy, evidence=evidence)
    return decided(state, "promote", further[0], at_ms=at, reasons=healthy, evidence=evidence)


def _bad(checks: Sequence[Check], doubted: Sequence[str]) -> tuple[Reason, ...]:
    return tuple(
        Reason(check.rule, _beyond(check))
        for check in checks
        if check.grade == "bad" or (is_doubted(check) and check.rule in doubted)
    )


def _beyond(check: Check) -> str:
    again = ", as in the window before" if check.grade == "doubtful" else ""
    return f"{check.rule}: {check.value:.4g} of {check.n} beside a limit of {check.limit:g}{again}"


def _worse(found: Sequence[Compared], monitor: ReleaseMonitor) -> tuple[Reason, ...]:
    """All comparisons of a release together may be wrong once in twenty releases."""
    level = LEVEL / (QUANTITIES * len(monitor.shares))
    return tuple(
        Reason(_WORSE[one.quantity], f"{one.quantity}: {one.difference:+.4g} beside the champion")
        for one in found
        if is_worse(one, level=level)
    )


def _evidence(
    window: HealthWindow, checks: tuple[Check, ...], *, compared: tuple[Compared, ...], shared: Overlap
) -> Evidence:
    arms = window.whole
    return Evidence(
        start=window.start_ms,
        end=window.end_ms,
        requests=arms.challenger.requests,
        champion_requests=arms.champion.requests,
        observed_share=window.settled.share,
        leak=shared.leak,
        checks=checks,
        compared=compared,
    )


def _seen(state: State, window: HealthWindow) -> tuple[str, ...]:
    arms = window.whole
    now = [(state.champion, arms.champion), (state.challenger, arms.challenger)]
    found = {version for version, arm in now if arm.requests} | set(state.seen)
    return tuple(sorted(found))
