"""What keeps a healthy challenger from going on: too little that could be known, or a router that does not as it was told.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detectors.binomial import tail
from detectors.experiments.overlap import Overlap
from schemas.durations import duration_text
from schemas.release import ReleaseMonitor
from schemas.releases import Check, Reason
from stream.evaluate.releases.health import BAD, is_doubted
from stream.evaluate.releases.state import State
from stream.evaluate.releases.window import Arms, HealthWindow

#: A share is another one where it is so far off, as a part of the smaller version's share, and at least by so much.
FAR_OFF, FAR = 0.1, 0.005


def holds(
    state: State, window: HealthWindow, monitor: ReleaseMonitor, *, checks: Iterable[Check], shared: Overlap
) -> tuple[Reason, ...]:
    """Every reason, most telling first; none where it may go on."""
    found = tuple(_traffic(state, window, monitor))
    if not found and (off := _off(window.settled, state.share)):
        found = (off,)
    return (*_ordered(state), *found, *_leaks(shared), *_unsure(checks))


def _ordered(state: State) -> Iterator[Reason]:
    if state.order == "hold":
        yield Reason("held", f"a person holds it: {state.order_why}")


def _traffic(state: State, window: HealthWindow, monitor: ReleaseMonitor) -> Iterator[Reason]:
    arms, own = window.whole, state.challenger
    if not arms.challenger.requests:
        if own in state.seen:
            yield Reason("no_traffic", f"version {own!r} answered no request")
        else:
            yield Reason("never_seen", f"version {own!r} was never seen")
    if not arms.champion.requests and state.share < 1:
        seen = "answered no request" if state.champion in state.seen else "was never seen"
        yield Reason("champion_no_traffic", f"champion {state.champion!r} {seen}")
    length = window.end_ms - window.start_ms
    if length < monitor.every_ms:
        said = f"a change cut the window to {duration_text(length)} of {duration_text(monitor.every_ms)}"
        yield Reason("settling", said)
    elif arms.challenger.requests and window.settled.challenger.requests < monitor.least:
        yield _too_few(window, monitor)


def _too_few(window: HealthWindow, monitor: ReleaseMonitor) -> Reason:
    settled = window.settled.challenger.requests
    if window.start_ms < window.settled_ms and window.whole.challenger.requests >= monitor.least:
        return Reason("settling", "the router could not know the share for most of the window")
    return Reason("not_enough_requests", f"{settled} requests of the {monitor.least} that a verdict needs")


def _off(settled: Arms, share: float) -> Reason | None:
    """The sample-ratio check: requests that are not divided as told are no sample of the same requests.

    >>> from stream.evaluate.releases.window import Arm
    >>> [bool(_off(Arms(Arm(requests=900), Arm(requests=n)), 0.1)) for n in (60, 70, 100, 130, 140)]
    [True, False, False, False, True]
    """
    found = settled.share
    if found is None or abs(found - share) <= max(FAR, FAR_OFF * min(share, 1 - share)):
        return None
    repeats = settled.repeats
    n, own = round(settled.requests / repeats), round(settled.challenger.requests / repeats)
    p = 2 * min(tail(own, n, share), tail(n - own, n, 1 - share))
    if p >= BAD:
        return None
    return Reason("sample_ratio", f"{found:.2%} of {settled.requests} requests were the challenger's, not {share:.0%}")


def _leaks(shared: Overlap) -> Iterator[Reason]:
    if shared.verdict == "leaking":
        text = f"ids go to both versions: about {min(1.0, shared.leak or 0.0):.0%} as often as if they stuck to neither"
        yield Reason("leaking", text)


def _unsure(checks: Iterable[Check]) -> Iterator[Reason]:
    for check in checks:
        if check.grade == "both":
            yield Reason("both_unhealthy", f"{check.rule}: the champion is beyond the limit too")
        elif check.grade == "doubtful":
            of = "" if is_doubted(check) else ", of few ids"
            yield Reason("doubtful", f"{check.rule}: {check.value:.4g} beside a limit of {check.limit:g}{of}")
