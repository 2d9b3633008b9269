"""An incident as others see it: the document for console and command line, and the message for a receiver.

Statistics only, never a raw value of a feature.  Names are passed as they are; whoever renders them escapes them.
"""

from __future__ import annotations

from alerting.cause import doubtful, likely, stands_out
from alerting.deliveries import Call, Evidence, Message, Reason
from alerting.digest import message_of
from alerting.entry import Entry
from alerting.incident import Incident, Member
from alerting.messages.wording import utc
from alerting.register import dedup_key, plan
from alerting.severity import worse
from alerting.state import State
from alerting.storm import extent, spoken_for
from alerting.titles import strongest, title_of
from alerting.totals import totals
from alerting.wanted import all_silenced_until
from schemas.alertmanager import ALERTMANAGER
from schemas.incidents import DeliveryView, IncidentView, MemberView

#: So many findings a message shows, and so many a document: a record of Kafka holds a megabyte, an incident any number.
TOP, SHOWN = 10, 200


def view(state: State, incident_id: str) -> IncidentView:
    """The incident's document, the last one where it has just left the state.

    :raises KeyError: there is no such incident.
    """
    here = state.incidents.get(incident_id)
    incident = here or state.left[incident_id].incident
    entries = [state.entries[name] for name in here.entries] if here is not None else state.left[incident_id].entries
    taken = incident.acknowledged
    members = strongest(incident, SHOWN) if incident.rollup is None else spoken_for(state, incident, most=SHOWN)
    lo, hi = since(incident)
    return IncidentView(
        id=incident.id,
        revision=incident.revision,
        state=incident.state,
        severity=incident.severity,
        worst=incident.worst,
        title=title_of(incident),
        opened=incident.opened,
        updated=incident.updated,
        since_lo=lo,
        since_hi=hi,
        models=models_of(incident),
        causes=incident.causes,
        members=tuple(map(_member, members)),
        more_members=max(0, len(incident.members) - len(members)),
        more_firing=max(0, _firing(incident) - sum(member.state == "firing" for member in members)),
        deliveries=tuple(_delivery(state, entry) for entry in entries),
        links=incident.links,
        acknowledged_by=taken.by if taken is not None else None,
        acknowledged_at=taken.at if taken is not None else None,
        flips=incident.flips,
        ended=incident.ended,
        end_reason=incident.reason,
    )


def message(state: State, incident_id: str, call: Call, *, now: int) -> Message:
    """What a receiver renders for a call, as the state is before the call is confirmed.

    :raises KeyError: there is no such incident.
    """
    incident = state.incidents[incident_id]
    rollup = incident.rollup
    members = strongest(incident, TOP) if rollup is None else spoken_for(state, incident, most=TOP)
    firing, total = (incident.members.active, len(incident.members)) if rollup is None else extent(state, incident)
    lo, hi = since(incident)
    silenced = all_silenced_until(incident) if rollup is None else rollup.silenced
    clear = stands_out(incident.causes)
    return Message(
        incident=incident.id,
        severity=call.severity,
        worst=incident.worst,
        state="resolved" if call.kind == "close" or not incident.live else "firing",
        title=title_of(incident),
        models=models_of(incident),
        cause=likely(incident) if clear else doubtful(incident.causes),
        cause_clear=clear,
        probability=incident.causes[0].probability if clear else None,
        since_lo=lo,
        since_hi=hi,
        members=tuple(map(_evidence, members)),
        firing=firing,
        total=total,
        reason=reason_of(state.entries[call.entry], call),
        why=call.why,
        ended=incident.ended_at,
        late=incident.late,
        acknowledged_by=incident.acknowledged.by if incident.acknowledged is not None else None,
        silenced_until=silenced if silenced is not None and silenced > now else None,
        links=incident.links,
        owner=_owner(state, incident, members),
        path=f"/incidents/{incident.id}",
        history=tuple(f"{utc(line.at)}: {line.text}" for line in incident.lines),
    )


def rendered(state: State, call: Call, *, now: int) -> Message | None:
    """What a receiver renders for a call; None where what it is about is not known any more."""
    if call.kind == "digest":
        digest = state.digests.get(call.address)
        return None if digest is None else message_of(digest)
    entry = state.entries.get(call.entry)
    return None if entry is None else message(state, entry.incident, call, now=now)


def reason_of(entry: Entry, call: Call) -> Reason:
    """Why a message is sent."""
    if call.kind == "close":
        return "closed"
    if call.kind == "open":
        again: dict[str, Reason] = {"worse": "worse", "outlived": "update", "repeat": "repeat"}
        return again.get(entry.motive, "first") if call.generation > 1 else "first"
    if call.kind == "note":
        return "repeat" if entry.note_motive == "repeat" else "update"
    belief = entry.believed.get(call.generation)
    return "worse" if belief is not None and worse(call.severity, belief.severity) else "update"


def since(incident: Incident) -> tuple[int, int]:
    """When it began: the onset of the finding that began earliest for sure, in its first episode."""
    hi, lo = totals(incident).least.since if incident.members else (incident.opened, incident.opened)
    return lo, hi


def models_of(incident: Incident) -> tuple[str, ...]:
    """The models that it is about; an alert says which it is about beside the name that it is filed under."""
    alerts = incident.members.by_model.get(ALERTMANAGER)
    named = {member.finding.about or ALERTMANAGER for _, member in alerts.rows()} if alerts is not None else set()
    return tuple(sorted(incident.models - {ALERTMANAGER} | named))


def _firing(incident: Incident) -> int:
    return incident.members.active - totals(incident).counts.blind


def _owner(state: State, incident: Incident, members: list[Member]) -> str | None:
    """Who owns the cause where one stands out, else the worst finding."""
    owners = state.policy.lineage.owners
    cause = incident.causes[0].node if stands_out(incident.causes) else ""
    return owners.get(cause) or (members[0].finding.owner if members else None)


def _evidence(member: Member) -> Evidence:
    finding = member.finding
    return Evidence(
        subject=finding.subject,
        rule=finding.rule,
        severity=member.severity or finding.severity,
        firing=member.active,
        value=finding.value,
        peak=member.peak,
        threshold=finding.threshold,
        n=finding.n,
        p=finding.p,
        window=finding.window,
        kind=finding.kind,
        looks=cause if isinstance(cause := finding.evidence.get("cause"), str) else None,
    )


def _member(member: Member) -> MemberView:
    finding = member.finding
    return MemberView(
        key=finding.key,
        subject=finding.subject,
        model=finding.model,
        kind=finding.kind,
        rule=finding.rule,
        state=member.state,
        severity=member.severity or finding.severity,
        joined_by=member.joined_by,
        at=finding.at,
        onset_lo=finding.onset.lo,
        onset_hi=finding.onset.hi,
        feature=finding.feature,
        source=finding.source,
        window=finding.window,
        value=finding.value,
        peak=member.peak,
        threshold=finding.threshold,
        p=finding.p,
        n=finding.n,
        silenced=member.silenced is not None,
        evidence=finding.evidence,
    )


def _delivery(state: State, entry: Entry) -> DeliveryView:
    generation = entry.want if entry.want is not None else max(entry.believed, default=entry.generation)
    belief = entry.believed.get(generation)
    confirmed = _nothing_due(state, entry)
    return DeliveryView(
        receiver=entry.receiver,
        address=entry.address,
        kind=entry.kind,
        wants=_wants(entry),
        believes="closed" if belief is None else f"open {belief.severity}" if belief.severity else "unknown",
        confirmed=confirmed,
        since=None if confirmed else _since(state, entry),
        failed=entry.failed,
        dedup_key=dedup_key(entry, generation) if generation else None,
        thread=belief.thread if belief is not None else None,
    )


def _since(state: State, entry: Entry) -> int | None:
    """Since when an address is to be told what it was not told yet; an incident changes at each refresh meanwhile."""
    here = state.incidents.get(entry.incident)
    ended = here.ended if here is not None else state.left[entry.incident].incident.ended
    if ended is not None or entry.want is None:
        return ended
    belief = entry.believed.get(entry.want)
    rings = belief is None or belief.severity is None or worse(entry.severity, belief.severity)
    return entry.rung if rings else None


def _wants(entry: Entry) -> str:
    if entry.want is not None:
        return f"open {entry.severity}"
    return "closed" if entry.rolled is None else f"told by {entry.rolled}"


def _nothing_due(state: State, entry: Entry) -> bool:
    """What is believed there is what should be; an edit that only waits for its interval is not missing yet."""
    wanted = set() if entry.want is None else {entry.want}
    return set(entry.believed) == wanted and plan(state, entry.id, state.now) is None
