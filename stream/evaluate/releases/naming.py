"""What the monitors file names, beside what runs: a release begins, goes on, or ends because the file says so.  Pure.

===========================================  ==============================================================
the file                                     what becomes of it
===========================================  ==============================================================
names the same two versions                  it goes on; one that was rolled back or is complete stays so
names none                                   it is rolled back (``removed``); the next one named begins anew
names another challenger or champion         it is rolled back (``superseded``), the other one begins
makes its challenger the champion before it  it is rolled back (``swapped``), the other one is refused: so
was complete                                 nobody promotes by the file what was not found healthy
names one version twice                      it is rolled back (``superseded``), the other one is refused
===========================================  ==============================================================

A release that was refused ends when the file names none, or other versions.
"""

from __future__ import annotations

from schemas.release import ReleaseMonitor
from schemas.releases import Code, Decision, Reason
from stream.evaluate.releases.state import State, begun, decided


def named(state: State, monitor: ReleaseMonitor | None, *, at_ms: int) -> tuple[State, list[Decision]]:
    """The state from ``at_ms`` on, once the file names ``monitor`` (None: no release), and what is decided by that."""
    if monitor is None:
        ended = _ended(state, Reason("removed", "the monitors file names no release any more"), at_ms=at_ms)
        return State(model=state.model), ended
    if (monitor.champion, monitor.challenger) == state.pair and state.phase != "none":
        return state, []
    why = _refusal(state, monitor)
    code: Code = "swapped" if why and monitor.champion == state.challenger else "superseded"
    text = f"the monitors file names champion {monitor.champion!r} and challenger {monitor.challenger!r}"
    ended = _ended(state, Reason(code, text), at_ms=at_ms)
    if why:
        refused = State(
            model=state.model, phase="refused", champion=monitor.champion, challenger=monitor.challenger, why=why
        )
        return refused, ended
    after, decision = begun(state.model, monitor, at_ms=at_ms)
    return after, [*ended, decision]


def _ended(state: State, reason: Reason, *, at_ms: int) -> list[Decision]:
    """Nothing more is sent to a challenger that nobody names."""
    return [decided(state, "roll_back", 0.0, at_ms=at_ms, reasons=(reason,))[1]] if state.runs else []


def _refusal(state: State, monitor: ReleaseMonitor) -> str:
    if monitor.champion == monitor.challenger:
        return f"champion and challenger are one version, {monitor.champion!r}: name another challenger"
    if monitor.champion == state.challenger and state.phase in ("running", "rolled_back"):
        return (
            f"champion {monitor.champion!r} is the challenger of a release that is not complete: take the release out of the "
            "monitors file and apply it first, if that is meant"
        )
    return ""
