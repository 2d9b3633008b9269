"""``driftline incident merge`` and ``split``: what people know of faults that no onset shows, put right by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from schemas.actions import LONGEST_REASON, MergeIncidents, SplitIncident
from schemas.incidents import IncidentView, MemberView
from schemas.settings import Settings, load_settings
from stream.command.actions import By, act, now_ms, tell, user
from stream.command.connect import ask_redis
from stream.state.incidents import read_incident


def _reason(text: str) -> str:
    if len(text) > LONGEST_REASON:
        raise typer.BadParameter(f"has {len(text)} characters, allowed: {LONGEST_REASON}")
    return text


Why = Annotated[str, typer.Option("--comment", parser=_reason, metavar="TEXT", help="Why; in the history of both.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `incident ls` prints it; its beginning is enough.")]


def merge(
    incident: Id,
    *,
    into: Annotated[str, typer.Option("--into", metavar="ID", help="The one that stays.")],
    by: By = None,
    comment: Why = "",
) -> None:
    """Say that an incident is the same fault as another: its findings go there, and it ends.

    Nobody is rung for it: what a receiver was told of the one that ends is closed there once the other is surely shown, and
    goes on as the other where only it was told. Either one that has ended is refused, with exit code 1.
    """
    settings, who = load_settings(), user(by)
    one, other = _read(settings, incident), _read(settings, into)
    action = MergeIncidents(incident=one.id, into=other.id, by=who, at=now_ms(settings), comment=comment)
    tell(act(settings, action))


def split(
    incident: Id,
    findings: Annotated[
        list[str],
        typer.Argument(
            metavar="FINDING...", help="Subjects as `incident show` prints them, such as feature:m/temp; or keys."
        ),
    ],
    *,
    by: By = None,
    comment: Why = "",
) -> None:
    """Say that findings of an incident are another fault: they become an incident of their own.

    Who was told because of them alone keeps that message, which is about the new one from now on; who is told of both gets a
    second one after the route's wait. All of an incident cannot be split off it, with exit code 1.
    """
    settings, who = load_settings(), user(by)
    found = _read(settings, incident)
    keys = tuple(dict.fromkeys(key for text in findings for key in _keys(found, text)))
    action = SplitIncident(incident=found.id, findings=keys, by=who, at=now_ms(settings), comment=comment)
    tell(act(settings, action))


def _read(settings: Settings, beginning: str) -> IncidentView:
    return ask_redis(settings, lambda redis, names: read_incident(redis, names, beginning))


def _keys(found: IncidentView, text: str) -> Iterable[str]:
    """The keys of the findings that somebody means: by key, by subject, or by the name of a feature that is there once.

    :raises typer.BadParameter: there is none.
    """
    for means in (_by_key, _by_subject, _by_feature):
        keys = [member.key for member in found.members if means(member, text)]
        if keys:
            return keys
    subjects = sorted({member.subject for member in found.members})
    more = f" and {found.more_members} more findings, by key" if found.more_members else ""
    if found.more_members and "|" in text:
        return [text]  # the owner knows all of them
    raise typer.BadParameter(f"{text!r} is no finding of {found.id}; it has {', '.join(subjects)}{more}")


def _by_key(member: MemberView, text: str) -> bool:
    return member.key == text


def _by_subject(member: MemberView, text: str) -> bool:
    return member.subject == text


def _by_feature(member: MemberView, text: str) -> bool:
    return member.feature == text
