"""What is said of all members of an incident together: counts, least and greatest values, each summed along one path.

Everything here follows from the members alone.  What depends on clocks or on the lineage is summed where it is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alerting.incident import Incident, Member
from alerting.table import Summary
from schemas.findings import SEVERITIES

#: Stand for "none": later than everything, and earlier.
LATE, EARLY = 1 << 62, -(1 << 62)


class Counts(NamedTuple):
    """``saying``: with a say, ``heard``: of them not silenced, ``muted``: firing and silenced, ``endless``: fire until they
    are said to be over, ``waiting``: those whose recovery has to be waited for."""

    saying: int = 0
    heard: int = 0
    muted: int = 0
    blind: int = 0
    endless: int = 0
    waiting: int = 0


class Least(NamedTuple):
    """``heard`` and ``saying`` are the worst severities, as places in ``SEVERITIES``; ``silenced`` the first end of a silence
    on what has a say, ``wait`` the shortest wait of what fires, ``since`` the earliest onset as (hi, lo)."""

    heard: int = LATE
    saying: int = LATE
    silenced: int = LATE
    wait: int = LATE
    since: tuple[int, int] = (LATE, LATE)


class Most(NamedTuple):
    """``wait`` is the longest of what has a say, ``cleared`` since when all that is waited for is clear, ``blind`` since when
    the last went blind, ``step`` the longest time between two judgements."""

    wait: int = 0
    cleared: int = EARLY
    blind: int = EARLY
    step: int = 0


class Totals(NamedTuple):
    """All of it."""

    counts: Counts = Counts()
    least: Least = Least()
    most: Most = Most()


def totals(incident: Incident) -> Totals:
    """The totals of an incident's members."""
    return incident.members.table.summed(TOTALS)


def awaited(member: Member) -> bool:
    """Whether its recovery has to be waited for: it has a say, and its rule was not removed."""
    return member.counts and member.finding.state != "removed"


def _of(member: Member) -> Totals:
    heard = member.counts and member.silenced is None
    waits = [reach.wait for reach in member.reach]
    return Totals(_counts(member, heard), _least(member, heard, waits), _most(member, waits))


def _counts(member: Member, heard: bool) -> Counts:
    said_again = member.finding.refresh_by is not None and member.step > 0
    lost = member.state == "blind" and member.blind is not None
    return Counts(
        saying=member.counts,
        heard=heard,
        muted=member.active and member.silenced is not None,
        blind=member.state == "blind",
        endless=member.active and not lost and not said_again,
        waiting=awaited(member),
    )


def _least(member: Member, heard: bool, waits: Sequence[int]) -> Least:
    rank = LATE if member.severity is None else SEVERITIES.index(member.severity)
    onset = member.began or member.finding.onset
    return Least(
        heard=rank if heard else LATE,
        saying=rank,
        silenced=LATE if member.silenced is None or not member.counts else member.silenced,
        wait=min(waits, default=LATE) if member.active else LATE,
        since=(onset.hi, onset.lo),
    )


def _most(member: Member, waits: Sequence[int]) -> Most:
    return Most(
        wait=max(waits, default=0) if member.counts else 0,
        cleared=member.cleared or 0 if awaited(member) else EARLY,
        blind=EARLY if member.state != "blind" or member.blind is None else member.blind,
        step=member.rhythm,
    )


def _joined(parts: Sequence[Totals]) -> Totals:
    if not parts:
        return Totals()
    counts, least, most = zip(*parts, strict=True)
    return Totals(
        Counts(*map(sum, zip(*counts, strict=True))),
        Least(*map(min, zip(*least, strict=True))),
        Most(*map(max, zip(*most, strict=True))),
    )


TOTALS: Summary[Member, Totals] = Summary("totals", _of, _joined, lasting=True)
#: When the last of all was over, as far as is known.
OVER: Summary[Member, int] = Summary(
    "over", lambda member: member.cleared or member.finding.at, lambda found: max(found, default=EARLY)
)
