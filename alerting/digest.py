"""What came and went untold: one message to a Slack channel for all incidents that were over before it could be told.

They began and ended while the vendor was away, or while openings were held for catching up.  To open them would ring for what
is over; to say nothing would hide it.  So a channel is told once, of all of them, the P0s first; PagerDuty, where every
message rings, is told nothing.  What is said stays in the register until Slack has taken it: after a crash it may be said twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from alerting.deliveries import Call, Message
from alerting.messages.wording import clean, utc
from schemas.findings import Severity

#: So many are named; the others are counted.
KEPT = 20


@dataclass(frozen=True, slots=True)
class Missed:
    """An incident that nobody here was told of: the worst it was, and its time (event time)."""

    severity: Severity
    began: int
    incident: str
    title: str
    ended: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The worst of what was missed, the worst first, and how many more there were."""

    named: tuple[Missed, ...] = ()
    more: int = 0

    @property
    def total(self) -> int:
        """How many incidents these are."""
        return len(self.named) + self.more

    def joined(self, other: Batch) -> Batch:
        """Both; an incident that was missed at two addresses of which one speaks for the other counts once."""
        both = {one.incident: one for one in (*self.named, *other.named)}.values()
        named = sorted(both, key=lambda one: (one.severity, one.began, one.incident))
        return Batch(tuple(named[:KEPT]), self.more + other.more + max(0, len(named) - KEPT))


@dataclass(frozen=True, slots=True)
class Digest:
    """What one channel is still to hear: ``waiting`` since a time of the owner's clock, ``sending`` what was begun to be said."""

    address: str
    since: int
    waiting: Batch = Batch()
    sending: Batch = Batch()


def added(digest: Digest | None, address: str, missed: Batch, *, now: int) -> Digest:
    """The digest of an address with more."""
    known = digest or Digest(address, now)
    since = known.since if known.waiting.total else now
    return replace(known, since=since, waiting=known.waiting.joined(missed))


def everything(digest: Digest) -> Batch:
    """All that the channel is still to hear."""
    return digest.sending.joined(digest.waiting)


def digest_due(digest: Digest, wait: int) -> int:
    """When it is to be said: what was begun at once, else after a wait in which more may come.

    >>> digest_due(Digest("slack:#ml", 1_000, waiting=Batch(more=1)), 120_000)
    121000
    """
    return digest.since if digest.sending.total else digest.since + wait


def begun(digest: Digest) -> Digest:
    """It is about to be said, with what was begun before."""
    return Digest(digest.address, digest.since, sending=everything(digest))


def taken(digest: Digest) -> Digest | None:
    """What is left once Slack has it: what came meanwhile."""
    return replace(digest, sending=Batch()) if digest.waiting.total else None


def call_of(digest: Digest) -> Call:
    """The request that says it; not urgent, whatever it names: it is over."""
    return Call(
        entry=f"digest|{digest.address}",
        kind="digest",
        generation=0,
        severity="P3",
        address=digest.address,
        receiver_kind="slack",
        dedup_key="",
        thread=None,
        why="over before it could be told here",
        doubt=bool(digest.sending.total),
    )


def message_of(digest: Digest) -> Message:
    """What the receiver renders: a line for each that is named.  What came since it was begun is said with the next one."""
    batch = digest.sending if digest.sending.total else digest.waiting
    worst = batch.named[0]
    many = "1 incident was" if batch.total == 1 else f"{batch.total} incidents were"
    more = (f"and {batch.more} more",) if batch.more else ()
    return Message(
        incident=worst.incident,
        severity=worst.severity,
        worst=worst.severity,
        state="resolved",
        title=f"{many} over before this channel could be told",
        models=(),
        cause="",
        since_lo=min(one.began for one in batch.named),
        since_hi=min(one.began for one in batch.named),
        members=(),
        firing=0,
        total=batch.total,
        reason="closed",
        why="over before it could be told here",
        path="/incidents",
        history=(*map(_line, batch.named), *more),
    )


def _line(one: Missed) -> str:
    """``P0 flights: every request failed, 2013-04-10 10:00 UTC to 2013-04-10 12:00 UTC (inc-4f)``."""
    return f"{one.severity} {clean(one.title)}, {utc(one.began)} to {utc(one.ended)} ({one.incident})"
