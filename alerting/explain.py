"""Why an incident is one: how each finding came to it, what could have caused all of them, who was told, and what is held back.

Read from the owner's state, so it says what was decided by and not what might be decided now.  Pure, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerting.cause import explained as fired_below
from alerting.draft import Draft
from alerting.entry import Entry
from alerting.incident import Incident, JoinedBy, Member
from alerting.late import held_until
from alerting.matchers import all_match, written
from alerting.reconcile import covered
from alerting.recovery import unstable
from alerting.silences import silence_labels
from alerting.state import State
from alerting.stopped import stopped
from alerting.storm import spoken_for
from alerting.titles import strongest
from schemas.findings import Severity

#: So many findings are explained, and so many nodes of each named.
SHOWN, NODES = 200, 3
WORDS: dict[JoinedBy, str] = {
    "first": "begins the incident",
    "onset": "one cause could explain it, too: the times at which that must have begun overlap",
    "tail": "one cause could explain it, too: by its time it misses the others by half its own interval at most",
    "subject": "another rule or window of what was there already",
    "continuation": "later than the others, below a source that three of them share",
    "overflow": "there were too many live incidents to begin another",
    "split": "somebody split it off another incident",
    "merged": "came with an incident that proved to be the same fault",
}


@dataclass(frozen=True, slots=True)
class Why:
    """One finding: how it joined and the nearest nodes that explain it; it began after ``lo`` and no later than ``hi``."""

    key: str
    subject: str
    rule: str
    joined_by: JoinedBy
    text: str
    lo: int
    hi: int
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that could have caused all of it, from ``lo`` to ``hi``; ``fired`` of the ``watched`` nodes below it fire.

    ``probability`` is None where it is not among the likeliest few.
    """

    node: str
    lo: int
    hi: int
    fired: int
    watched: int
    probability: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """An address: when it last took something about the incident, and when it last rang; None: never."""

    receiver: str
    address: str
    kind: str
    wants: str
    told: int | None
    rung: int | None
    openings: int


@dataclass(frozen=True, slots=True)
class Held:
    """Something that keeps messages back: ``what`` it is, its ``name``, ``until`` when (None: that is not known), and of whom."""

    what: str
    name: str
    text: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """All of it; ``more`` findings are not listed."""

    why: tuple[Why, ...]
    more: int
    candidates: tuple[Candidate, ...]
    heard: tuple[Heard, ...]
    held: tuple[Held, ...]


def explained(state: State, name: str) -> Explained:
    """The explanation of an incident that the state holds.

    :raises KeyError: it does not.
    """
    draft, incident = Draft(state, state.now), state.incidents[name]
    listed = strongest(incident, SHOWN) if incident.rollup is None else spoken_for(state, incident, most=SHOWN)
    ordered = sorted(listed, key=lambda member: (member.joined, member.finding.key))
    entries = [state.entries[entry] for entry in incident.entries]
    return Explained(
        tuple(_why(draft, incident, member) for member in ordered),
        max(0, len(incident.members) - len(listed)),
        tuple(_candidates(draft, incident)),
        tuple(map(_heard, entries)),
        tuple(_held(draft, incident, entries)),
    )


def _why(draft: Draft, incident: Incident, member: Member) -> Why:
    finding, onset = member.finding, member.began or member.finding.onset
    lineage = draft.policy.lineage
    above = lineage.above(finding.subject)
    shared = sorted((node for node in incident.anchor if node in above), key=lambda node: (above[node].hops, node))
    return Why(
        finding.key, finding.subject, finding.rule, member.joined_by, WORDS[member.joined_by], onset.lo, onset.hi,
        tuple(shared[:NODES]),
    )  # fmt: skip


def _candidates(draft: Draft, incident: Incident) -> Iterator[Candidate]:
    lineage = draft.policy.lineage
    likely = {cause.node: cause.probability for cause in incident.causes}
    below = fired_below(incident, draft) if incident.rollup is None else {}
    for node in sorted(below, key=lambda node: (-likely.get(node, 0.0), node)):
        lo, hi = incident.anchor[node]
        own = incident.members.subjects.get(node) is not None
        watched = sum(lineage.monitored_below(node).values()) + own
        yield Candidate(node, lo, hi, sum(below[node].values()) + own, watched, likely.get(node))


def _heard(entry: Entry) -> Heard:
    wants: Severity | str = f"open {entry.severity}" if entry.want is not None else "closed"
    return Heard(entry.receiver, entry.address, entry.kind, wants, entry.told, entry.rung, entry.generation)


def _held(draft: Draft, incident: Incident, entries: list[Entry]) -> Iterator[Held]:
    if not incident.live:
        return
    yield from _silencing(draft, incident)
    for entry in entries:
        if entry.rolled is not None:
            yield Held("storm", entry.rolled, f"{entry.receiver} ({entry.kind}) is told by the storm's message")
        if entry.failed is not None:
            yield Held("failed", entry.address, f"{entry.receiver} ({entry.kind}) was given up: {entry.failed}")
    until = held_until(incident)
    if until is not None and until > draft.now:
        yield Held("late", incident.id, "heard of late: what is over by then is not opened", until)
    if incident.acknowledged is not None and covered(incident):
        yield Held("acknowledged", incident.acknowledged.by, "no repeats: somebody has it, and all that fires with it")
    if incident.firing and stopped(draft, incident):
        yield Held(
            "no traffic", incident.id, "a model of it has no traffic: no repeats, and nothing is known to be over"
        )
    if unstable(draft, incident):
        yield Held("unstable", incident.id, "it came back less than a hold ago: no repeats")


def _silencing(draft: Draft, incident: Incident) -> Iterator[Held]:
    for silence in draft.silences.values():
        if silence.holds(draft.now):
            covers = [
                member.finding.subject
                for _, member in incident.members.table.rows()
                if member.counts and all_match(silence.matchers, silence_labels(member.finding, incident.id))
            ]
            if covers:
                matchers = " ".join(map(written, silence.matchers))
                said = f"{silence.by} silenced {_listed(covers)} ({matchers})"
                yield Held("silence", silence.id, said, silence.ends)


def _listed(subjects: list[str]) -> str:
    """The first few, each once.

    >>> _listed(["a", "b", "a", "c", "d"])
    'a, b, c and 1 more'
    """
    named = list(dict.fromkeys(subjects))
    more = f" and {len(named) - NODES} more" if len(named) > NODES else ""
    return ", ".join(named[:NODES]) + more
