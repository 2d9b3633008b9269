"""``driftline route test``: who would be told of a finding, and what else would become of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from alerting.matchers import written
from alerting.silences import silence_view
from alerting.state import NEVER
from alerting.trial import Told, Trial, tried
from schemas.durations import duration_text, milliseconds_of
from schemas.findings import Finding
from stream.command.options import AsJson
from stream.command.printing import moment, print_json, print_lines, print_table
from stream.command.route_ground import Ground, in_force, of_file
from stream.command.route_labels import finding_of, labels_of

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
FAILED = 1


@app.callback()
def route() -> None:
    """Routes: whom a finding reaches."""


def _length(text: str) -> int:
    try:
        return milliseconds_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}") from None


@app.command("test")
def try_route(
    labels: Annotated[
        list[str],
        typer.Argument(metavar="LABEL=VALUE...", help="Of the finding, such as severity=P1 model=churn feature=plan."),
    ],
    *,
    monitors: Annotated[
        Path | None,
        typer.Option("--monitors", metavar="FILE", help="Try this monitors file instead, without any service."),
    ] = None,
    expect: Annotated[
        str | None, typer.Option(metavar="RECEIVER,...", help="Exit with 1 unless it is routed to exactly these.")
    ] = None,
    onset: Annotated[
        int | None,
        typer.Option(parser=_length, metavar="DURATION", help="It began within so long before now (a pane)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who would be told of a finding that came now: its routes, its incident, silences, storms; nothing is sent.

    `severity` is needed, and `model` where there are several; what else a finding has (kind, rule, source, owner, subject)
    is filled in as evaluation would, and shown. Without `--monitors` it is tried on what is in force, with the incidents
    and silences that there are now; a file is tried as if nothing had happened yet.

    With `--expect` the exit code is 1 where the receivers are others than these; their order does not matter.
    """
    said = labels_of(labels)
    ground = of_file(monitors) if monitors is not None else in_force()
    expected = None if expect is None else _receivers(expect, ground)
    finding = finding_of(said, ground.models, ground.sources, at=_at(ground, said), onset_ms=onset)
    trial = tried(ground.state, finding, ground.now)
    met = None if expected is None else expected == {way.receiver for way in trial.ways}
    if as_json:
        print_json(_as_json(finding, trial, ground) | {"expected": met})
    else:
        _print(finding, trial, ground)
    if met is False:
        found = ", ".join(sorted({way.receiver or "nobody" for way in trial.ways}))
        typer.echo(f"expected {', '.join(sorted(expected or ()))}: it is routed to {found}", err=True)
        raise typer.Exit(FAILED)


def _receivers(text: str, ground: Ground) -> set[str]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(names - ground.state.policy.receivers.keys())
    if unknown or not names:
        known = ", ".join(sorted(ground.state.policy.receivers)) or "none"
        raise typer.BadParameter(
            f"--expect {text!r}: {', '.join(unknown) or 'nobody'} is no receiver; there are {known}"
        )
    return names


def _at(ground: Ground, labels: Mapping[str, str]) -> int:
    """The end of the pane that is judged now; time that is judged already does not go back."""
    models = ground.models
    name = labels.get("model") or next(iter(models), "")
    heard = ground.state.models.get(name)
    clock = heard.clock if heard is not None else NEVER
    lateness = models[name].lateness_ms if name in models else 0
    return max(clock, ground.now - lateness) if ground.live or clock == NEVER else clock


def _as_json(finding: Finding, trial: Trial, ground: Ground) -> dict[str, Any]:
    return {
        "tried_on": ground.of,
        "labels": finding.labels,
        "routes": [
            {"receiver": way.receiver, "matchers": way.matchers, "wait_ms": way.wait, "repeat_ms": way.repeat}
            for way in trial.ways
        ],
        "incident": _incident(trial),
        "told": [msgspec.to_builtins(one) for one in trial.told],
        "silences": [msgspec.to_builtins(silence_view(one)) for one in trial.silences],
    }


def _incident(trial: Trial) -> dict[str, Any] | None:
    if trial.incident is None:
        return None
    return {
        "id": trial.incident, "begins": trial.joined_by == "first", "joined_by": trial.joined_by,
        "severity": trial.severity, "links": trial.links, "acknowledged_by": trial.acknowledged_by,
    }  # fmt: skip


def _print(finding: Finding, trial: Trial, ground: Ground) -> None:
    print_lines(_lines(finding, trial, ground))
    if trial.told:
        rows = ((one.receiver, one.address, one.kind, _verdict(one, ground)) for one in trial.told)
        print_table(columns=("receiver", "address", "kind", "is told"), rows=rows)
    else:
        print_lines(["nobody is told: only the console shows it"])


def _lines(finding: Finding, trial: Trial, ground: Ground) -> Iterator[str]:
    yield f"tried on {ground.of}"
    yield "finding: " + " ".join(f'{name}="{value}"' for name, value in finding.labels.items())
    for way in trial.ways:
        repeat = "no repeat" if way.repeat is None else f"repeated every {duration_text(way.repeat)}"
        through = " ".join(way.matchers) or "the root"
        yield f"route: {through} -> {way.receiver or 'nobody'}; waits {duration_text(way.wait)}, {repeat}"
    yield f"incident: {_place(trial)}"
    for silence in trial.silences:
        matchers = " ".join(map(written, silence.matchers))
        yield f"silenced: {silence.id} by {silence.by} until {moment(silence.ends)} ({matchers})"


def _place(trial: Trial) -> str:
    if trial.incident is None:
        return "none; somebody resolved this finding, and it stays quiet until it was ok once, or gets worse"
    if trial.joined_by == "first":
        return "begins one of its own" + (f"; see also {', '.join(trial.links)}" if trial.links else "")
    taken = f", acknowledged by {trial.acknowledged_by}" if trial.acknowledged_by else ""
    return f"in {trial.incident} (joined by {trial.joined_by}), {trial.severity}{taken}"


def _verdict(told: Told, ground: Ground) -> str:
    match told.verdict:
        case "opens":
            wait = max(0, (told.at or 0) - ground.now)
            return f"yes, after {duration_text(wait)}" if wait else "yes, at once"
        case "rings":
            return f"yes, again: {told.by} gets worse"
        case "joins":
            return f"no new page: {told.by} is told there and is edited in place"
        case "silenced":
            return f"no: silenced until {moment(told.until)}"
        case "storm":
            return f"by the storm's message {told.by}"
        case "resolved":
            return "no: somebody resolved it"
        case _:
            return f"no: given up ({told.by}); the root's receiver is told instead"
