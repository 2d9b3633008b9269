"""``driftline dlq``: the events that were refused, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from schemas.settings import load_settings
from stream.command.letters import DeadLetter, newest_letters
from stream.command.options import AsJson
from stream.command.places import SEARCHED, Reason, place_of
from stream.command.printing import moment, print_json, print_lines, print_table
from stream.command.retry import retry

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

NOT_FOUND = 1

app.command("retry")(retry)


@app.callback()
def dlq() -> None:
    """Dead letters: events that were refused, with the reason and where they stand in Kafka."""


@app.command("ls")
def list_newest(
    *,
    limit: Annotated[int, typer.Option(min=1, max=SEARCHED, help="Show at most this many.")] = 20,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """List the newest dead letters, newest first.

    With --reason, the newest 20 000 of each partition are looked through. Events that came too late are counted (see
    `driftline status`) and not kept.
    """
    found = newest_letters(load_settings(), most=SEARCHED if reason else limit)
    chosen = [letter for letter in found if reason in (None, letter.reason)][:limit]
    if as_json:
        print_json({"dead_letters": [asdict(letter) for letter in chosen]})
    elif chosen:
        _table(chosen)
    else:
        print_lines(["no dead letters" + (f" for the reason {reason}" if reason else "")])


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="TOPIC:PARTITION:OFFSET", help="As `dlq ls` prints it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show everything that is kept of a refused record: one dead letter for each of its refused events.

    Values are masked unless the worker was told otherwise. The exit code is 1 where there is no such dead letter among the
    newest 20 000 of each partition.
    """
    topic, partition, offset = place_of(place)
    wanted = f"{topic}:{partition}:{offset}"
    found = [letter for letter in newest_letters(load_settings(), most=SEARCHED) if letter.place == wanted]
    if not found:
        typer.echo(f"no dead letter of {wanted} among the newest {SEARCHED} of each partition", err=True)
        raise typer.Exit(NOT_FOUND)
    ordered = sorted(found, key=lambda letter: letter.index or 0)
    if as_json:
        print_json({"dead_letters": [asdict(letter) for letter in ordered]})
    else:
        print_lines(line for letter in ordered for line in _lines(letter))


def _table(letters: Iterable[DeadLetter]) -> None:
    rows = [
        (letter.place, letter.index, moment(_second(letter.at_ms)), letter.reason, _why(letter)) for letter in letters
    ]
    print_table(columns=("record", "event#", "at", "reason", "why"), rows=rows)


def _second(ms: int) -> int:
    return ms - ms % 1000


def _why(letter: DeadLetter) -> str:
    return f"{letter.field}: {letter.detail}" if letter.field else letter.detail


def _lines(letter: DeadLetter) -> Iterable[str]:
    found: dict[str, Any] = asdict(letter) | {"at": moment(letter.at_ms)}
    kept = "masked, " if letter.masked else ""
    yield f"{letter.place}" + ("" if letter.index is None else f", event {letter.index}")
    yield from (f"  {name}: {found[name]}" for name in ("at", "reason", "field", "detail"))
    yield f"  payload ({kept}{letter.payload_bytes} bytes): {letter.payload}"
