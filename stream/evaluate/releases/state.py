"""Where a model's release stands: what the next health window needs to know of those before it.

A value; it is stored as JSON by the script that stores what was concluded, so whoever goes on goes on from it.

===============  ================================================================================================
phase            means
===============  ================================================================================================
``none``         the file names no release
``running``      the challenger is sent ``share`` of the requests
``rolled_back``  it was found bad, or ended by a person or the file: final until the file names another challenger
``complete``     the challenger held at all shares: final likewise
``refused``      the file names versions that cannot be released so (``why``): nothing is decided
===============  ================================================================================================
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Literal

import msgspec

from schemas.release import ReleaseMonitor
from schemas.releases import Code, Decision, Evidence, Kind, Reason, release_id
from stream.evaluate.releases.window import Arm, Arms, Sums

#: The p-value of each compared quantity before the first look.
NO_LOOK = (1.0, 1.0, 1.0)
Phase = Literal["none", "running", "rolled_back", "complete", "refused"]
#: What a person asked for; the file's own way goes on with None.
Order = Literal["hold"]


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """What one version did since the share holds."""

    success: Sums = Sums()
    latency: Sums = Sums()
    rating: Sums = Sums()
    #: The sketch of the ids of ``with_id`` requests.
    ids: tuple[int, ...] = ()
    with_id: int = 0

    def __add__(self, arm: Arm) -> Totals:
        return Totals(
            self.success + arm.success,
            self.latency + arm.latency,
            self.rating + arm.rating,
            tuple(map(sum, zip_longest(self.ids, arm.ids, fillvalue=0))),
            self.with_id + arm.with_id,
        )


class Both(msgspec.Struct, frozen=True, array_like=True):
    """Both versions since the share holds: only there were requests given out by one and the same chance."""

    champion: Totals = Totals()
    challenger: Totals = Totals()

    def with_window(self, arms: Arms) -> Both:
        """And a further window's settled part."""
        return Both(self.champion + arms.champion, self.challenger + arms.challenger)


class State(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``since`` is when the share was decided, ``begun`` when the release was.

    ``why``: why it was rolled back or refused; ``told``: why the last decision holds, empty where it does not; ``doubtful``: rules
    that doubted the last window; ``seen``: which versions ever answered; ``looks``: the always-valid p-values so far.
    """

    model: str
    phase: Phase = "none"
    release: str = ""
    champion: str = ""
    challenger: str = ""
    begun: int = 0
    share: float = 0.0
    since: int = 0
    number: int = 0
    told: tuple[Code, ...] = ()
    doubtful: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    since_share: Both = Both()
    looks: tuple[float, ...] = NO_LOOK
    why: str = ""
    order: Order | None = None
    order_why: str = ""

    @property
    def runs(self) -> bool:
        return self.phase == "running"

    @property
    def pair(self) -> tuple[str, str]:
        """Champion and challenger."""
        return self.champion, self.challenger

    def to_json(self) -> bytes:
        """The stored form."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(stored: bytes) -> State:
        """What ``to_json`` wrote.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        return _DECODER.decode(stored)


_DECODER = msgspec.json.Decoder(State)
Decided = tuple[State, Decision]


def begun(model: str, monitor: ReleaseMonitor, *, at_ms: int) -> Decided:
    """A new release, at the first share."""
    share = monitor.shares[0]
    state = State(
        model=model, phase="running", champion=monitor.champion, challenger=monitor.challenger, begun=at_ms,
        release=release_id(model, monitor.champion, monitor.challenger, begun_ms=at_ms),
    )  # fmt: skip
    text = f"version {monitor.challenger!r} begins with {share:.0%} of the requests"
    return decided(state, "begin", share, at_ms=at_ms, reasons=(Reason("begun", text),))


def decided(
    state: State, kind: Kind, share: float, *, at_ms: int, reasons: tuple[Reason, ...], evidence: Evidence | None = None
) -> Decided:
    """The decision, and the state after it; where the share changes, what is compared begins anew."""
    decision = Decision(
        model=state.model, release=state.release, champion=state.champion, challenger=state.challenger,
        number=state.number + 1, at=at_ms, decision=kind, share=share, reasons=reasons, evidence=evidence or Evidence(),
    )  # fmt: skip
    changed = share != state.share or kind == "begin"
    after = msgspec.structs.replace(
        state,
        phase={"roll_back": "rolled_back", "complete": "complete"}.get(kind, state.phase),
        share=share,
        since=at_ms if changed else state.since,
        number=decision.number,
        told=tuple(reason.code for reason in reasons) if kind == "hold" else (),
        since_share=Both() if changed else state.since_share,
        looks=NO_LOOK if changed else state.looks,
        why="; ".join(reason.text for reason in reasons) if kind == "roll_back" else state.why,
    )
    return after, decision
