"""``driftline release``: where the releases of models stand, what was decided and why, and a person's own word on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
import typer
from redis.asyncio import Redis

from schemas.errors import DriftlineError, StoreError
from schemas.names import Names
from schemas.releases import Check, Compared, Decision
from schemas.settings import load_settings
from stream.command.actions import By
from stream.command.connect import ask_redis
from stream.command.options import AsJson
from stream.command.printing import moment, print_json, print_lines, print_table
from stream.command.release_orders import give
from stream.state.generations import read
from stream.state.releases import Decided, ReleaseView, read_decisions, read_releases

Model = Annotated[str, typer.Argument(help="A model in force.")]
Why = Annotated[str, typer.Option("--reason", help="Why; told with the decision.", show_default=False)]

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def release() -> None:
    """Releases: a new version beside the one that serves, promoted, held or rolled back."""


@app.command("ls")
def listed(*, as_json: AsJson = False) -> None:
    """List every model that has a release: its versions, the challenger's share, and what holds it."""
    found = ask_redis(load_settings(), _all)
    if as_json:
        print_json({"releases": [_plain(view) for view in found]})
    elif not found:
        print_lines(["no model in force has a release"])
    else:
        rows = [_row(view) for view in found]
        print_table(
            columns=("model", "champion", "challenger", "state", "share#", "since", "judged to", "why"), rows=rows
        )


@app.command()
def show(model: Model, *, as_json: AsJson = False) -> None:
    """Show a model's release: both versions in the last health window, how they compare, and the last decisions."""

    async def asked(redis: Redis, names: Names) -> tuple[list[ReleaseView], Decided]:
        return await _all(redis, names), await read_decisions(redis, names, model)

    views, decided = ask_redis(load_settings(), asked)
    decisions = decided.decisions
    view = next((one for one in views if one.model == model), None)
    if view is None and not decisions and not decided.damage:
        raise DriftlineError(f"model {model!r} has no release: `driftline release ls` lists those that have one")
    if as_json:
        print_json({"release": None if view is None else _plain(view), "decisions": msgspec.to_builtins(decisions)})
    else:
        _show(view, decisions)
    if decided.damage:
        raise StoreError(decided.damage)


@app.command()
def hold(model: Model, *, reason: Why, by: By = None) -> None:
    """Hold a release at its share: it is judged on and rolled back where it is bad, but goes no further until it is resumed."""
    give(model, "hold", by=by, reason=reason)


@app.command()
def resume(model: Model, *, reason: Why, by: By = None) -> None:
    """Let a release that was held go on, from its share."""
    give(model, "resume", by=by, reason=reason)


@app.command("roll-back")
def roll_back(model: Model, *, reason: Why, by: By = None) -> None:
    """Send no request to the challenger any more: at once, and until the monitors file names another one."""
    give(model, "roll_back", by=by, reason=reason)


async def _all(redis: Redis, names: Names) -> list[ReleaseView]:
    return await read_releases(redis, names, await read(redis, names))


def _plain(view: ReleaseView) -> dict[str, Any]:
    return asdict(view) | {"window": msgspec.to_builtins(view.window)}


def _row(view: ReleaseView) -> Sequence[object]:
    share = None if view.share is None else f"{view.share:.0%}"
    why = view.why or ", ".join(view.holds)
    return (
        view.model,
        view.champion,
        view.challenger,
        view.state,
        share,
        moment(view.since),
        moment(view.judged_to),
        why,
    )


def _show(view: ReleaseView | None, decisions: Sequence[Decision]) -> None:
    if view is not None:
        print_table(
            columns=("model", "champion", "challenger", "state", "share#", "since", "judged to", "why"), rows=[_row(view)]
        )  # fmt: skip
    if view is not None and view.window is not None:
        window = view.window
        asked = f"{window.requests} requests of the challenger, {window.champion_requests} of the champion"
        print_lines(["", f"health window {moment(window.start)} to {moment(window.end)}: {asked}"])
        _show_checks(window.checks)
        if window.compared:
            print_lines(["", "challenger less champion since the share holds:"])
            _show_compared(window.compared)
    if decisions:
        print_lines(["", "decisions:"])
        columns = ("at", "release", "decision", "share#", "reasons")
        print_table(columns=columns, rows=[_decided(one) for one in decisions])


def _show_checks(checks: Iterable[Check]) -> None:
    rows = [(one.rule, one.grade, one.value, one.champion, one.limit, one.n, one.p) for one in checks]
    print_table(columns=("rule", "grade", "challenger#", "champion#", "limit#", "n#", "p#"), rows=rows)


def _show_compared(compared: Iterable[Compared]) -> None:
    rows = [(one.quantity, one.difference, one.low, one.high, one.p, one.d, one.d_low, one.d_high) for one in compared]
    columns = ("quantity", "difference#", "from#", "to#", "p#", "Cohen's d#", "from#", "to#")
    print_table(columns=columns, rows=rows)


def _decided(one: Decision) -> Sequence[object]:
    why = "; ".join(f"{reason.code}: {reason.text}" for reason in one.reasons)
    return moment(one.at), one.release, one.decision, f"{one.share:.0%}", why
