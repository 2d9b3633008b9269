"""``driftline incident``: what is wrong now and what was, and the on-call's work on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from alerting.cause import stands_out
from schemas.actions import Acknowledge, Resolve
from schemas.incidents import IncidentView, MemberView
from schemas.settings import load_settings
from stream.command.actions import By, Comment, act, now_ms, tell, user
from stream.command.connect import ask_redis
from stream.command.correcting import merge, split
from stream.command.options import AsJson
from stream.command.printing import moment, print_json, print_lines, print_table, shown
from stream.state.incidents import Happened, read_incident, read_incidents, read_timeline

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Id = Annotated[
    str, typer.Argument(metavar="ID", help="As `incident ls` prints it; its beginning is enough where it is unique.")
]


@app.callback()
def incident() -> None:
    """Incidents: what is wrong, since when, why, and who was told."""


@app.command("ls")
def list_incidents(
    *,
    ended: Annotated[bool, typer.Option("--all", help="The ended ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List incidents, the worst first."""
    found = ask_redis(load_settings(), read_incidents)
    chosen = sorted((one for one in found if ended or one.state != "ended"), key=_order)
    if as_json:
        print_json({"incidents": [msgspec.to_builtins(one) for one in chosen]})
    elif chosen:
        heads = ("incident", "state", "severity", "since", "findings#", "cause", "title")
        print_table(columns=heads, rows=map(_row, chosen))
    else:
        print_lines(["no incidents" if ended else "no open incidents"])


@app.command()
def show(incident: Id, *, as_json: AsJson = False) -> None:
    """Show an incident: its findings and their numbers, its causes, who was told what, and what happened when.

    The exit code is 1 where there is none of that name.
    """
    settings = load_settings()
    found = ask_redis(settings, lambda redis, names: read_incident(redis, names, incident))
    happened = ask_redis(settings, lambda redis, names: read_timeline(redis, names, found.id))
    if as_json:
        print_json({"incident": msgspec.to_builtins(found), "timeline": [msgspec.to_builtins(one) for one in happened]})
        return
    print_lines(_head(found))
    if found.members:
        heads = ("finding", "rule", "window", "state", "severity", "value#", "threshold#", "rows#", "p#", "joined by")
        print_table(columns=heads, rows=map(_member, found.members))
    print_lines(_looks(found))
    if found.more_members:
        print_lines(
            [f"and {found.more_members} more findings, {found.more_firing} of them firing; the worst are shown"]
        )
    print_lines(_told(found))
    print_lines(_happened(happened))


@app.command()
def explain(incident: Id, *, as_json: AsJson = False) -> None:
    """Explain an incident: why its findings are one, what could have caused them, who was told, and what is held back.

    By what the owner decided by. The exit code is 1 where there is none of that name.
    """
    from stream.command.explaining import explain_incident  # what is in force, which no other one should wait for

    explain_incident(load_settings(), incident, as_json=as_json)


@app.command()
def ack(incident: Id, *, by: By = None, comment: Comment = "") -> None:
    """Take an incident: it is not repeated any more, unless it gets worse or its cause proves another.

    The acknowledgement covers the findings and the severity that it has now. An incident that has ended is refused, with
    exit code 1.
    """
    settings, who = load_settings(), user(by)
    found = ask_redis(settings, lambda redis, names: read_incident(redis, names, incident))
    action = Acknowledge(
        incident=found.id, by=who, at=now_ms(settings), revision=found.revision, comment=comment
    )  # fmt: skip
    tell(act(settings, action))


@app.command()
def resolve(incident: Id, *, by: By = None, comment: Comment = "") -> None:
    """Declare an incident over: receivers are told so, and its findings stay quiet until they were ok once, or get worse.

    An incident that has ended is refused, with exit code 1.
    """
    settings, who = load_settings(), user(by)
    found = ask_redis(settings, lambda redis, names: read_incident(redis, names, incident))
    action = Resolve(incident=found.id, by=who, at=now_ms(settings), revision=found.revision, comment=comment)
    tell(act(settings, action))


app.command()(merge)
app.command()(split)


def _order(one: IncidentView) -> tuple[bool, str, int]:
    return one.state == "ended", one.severity, -one.opened


def _row(one: IncidentView) -> tuple[Any, ...]:
    firing = sum(member.state == "firing" for member in one.members) + one.more_firing
    counted = f"{firing} of {len(one.members) + one.more_members}"
    return one.id, one.state, one.severity, moment(one.since_hi), counted, _cause(one), one.title


def _cause(one: IncidentView) -> str:
    """The cause where one stands out; `incident show` lists the others."""
    if not one.causes:
        return "unknown"
    return one.causes[0].node if stands_out(one.causes) else "unclear"


def _head(one: IncidentView) -> Iterator[str]:
    yield f"{one.id}: {one.title}"
    yield f"  {one.severity} (at worst {one.worst}), {one.state}{_reason(one)}, revision {one.revision}"
    yield f"  began between {moment(one.since_lo)} and {moment(one.since_hi)} (time of the events)"
    yield f"  opened {moment(one.opened)}, changed {moment(one.updated)}"
    yield f"  models: {', '.join(one.models)}"
    yield f"  causes: {_causes(one)}"
    if one.acknowledged_by:
        yield f"  acknowledged by {one.acknowledged_by} {moment(one.acknowledged_at)}"
    if one.links:
        yield f"  see also: {', '.join(one.links)}"


def _causes(one: IncidentView) -> str:
    """All candidates, and whether one of them is the cause that messages name."""
    if not one.causes:
        return "unknown"
    listed = ", ".join(f"{cause.node} {cause.probability:.0%}" for cause in one.causes)
    return listed if stands_out(one.causes) else f"none stands out: {listed}"


def _reason(one: IncidentView) -> str:
    return f" {moment(one.ended)} ({one.end_reason})" if one.ended is not None else ""


def _member(one: MemberView) -> tuple[Any, ...]:
    state = f"{one.state}, silenced" if one.silenced else one.state
    numbers = (one.value, one.threshold, one.n, one.p)
    return one.subject, one.rule, one.window, state, one.severity, *numbers, one.joined_by


def _looks(one: IncidentView) -> list[str]:
    """What may have happened to its features, each said once."""
    said = ((member.subject, member.evidence.get("cause")) for member in one.members if member.state == "firing")
    return [*dict.fromkeys(f"{subject}: {cause}" for subject, cause in said if cause)]


def _told(one: IncidentView) -> Iterator[str]:
    for each in one.deliveries:
        doubt = "" if each.confirmed else ", not confirmed"
        failed = f", failed: {each.failed}" if each.failed else ""
        yield f"told {each.receiver} ({each.kind}): is to believe {each.wants}, believes {each.believes}{doubt}{failed}"


def _happened(lines: list[Happened]) -> Iterator[str]:
    for line in lines:
        yield f"{shown(moment(line.at))}  {line.text}"
