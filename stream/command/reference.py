"""`driftline reference build`: rows of a file in, a reference profile out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.durations import duration_text
from schemas.errors import ConfigError
from schemas.reference import NumericProfile, Profile, Reference
from stream.command.options import pane_ms
from stream.command.reference_file import Build, Parts, reference_of
from stream.command.unusable import unusable
from stream.command.working import building

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

WRONG_USE = 2


@app.callback()
def reference() -> None:
    """References: what a model was built on."""


@app.command()
def build(
    *,
    model: Annotated[str, typer.Option(help="Name of the model, as events carry it.")],
    source: Annotated[Path, typer.Option("--from", help="Rows: .csv, .parquet or .jsonl.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The reference file to write.")],
    time: Annotated[str | None, typer.Option(help="Column of the rows' time: epoch ms or RFC 3339.")] = None,
    score: Annotated[str | None, typer.Option(help="Column of the model's score.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Column of what turned out to be true.")] = None,
    pane: Annotated[int, typer.Option(parser=pane_ms, metavar="DURATION", help="Length of a pane.")] = "1h",  # type: ignore[assignment]
    exclude: Annotated[list[str] | None, typer.Option(help="Column that is no feature; repeatable.")] = None,
    categorical: Annotated[
        list[str] | None, typer.Option(help="Column of names, also if they look like numbers.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Count a file's rows into a reference profile: edges, counts by pane, moments; no raw rows.

    Columns that are not named here are features: numbers, or names. Missing in CSV: empty, NA, NaN, null.

    The file may be larger than memory: its columns lie meanwhile in a hidden folder beside the output, 8 bytes a value.
    """
    parts = Parts(time, score, outcome, exclude=tuple(exclude or ()), names=tuple(categorical or ()))
    try:
        _check_folder(output)
        with building() as told:
            built = reference_of(source, parts, Build(model, pane, output.parent, told))
        _write(output, built.to_json())
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_USE) from None
    if as_json:
        typer.echo(json.dumps(summary(built, output)))
    else:
        _show(built, output)


def _check_folder(output: Path) -> None:
    """Said before a long build, not after."""
    if not output.parent.is_dir():
        raise unusable(output, "", "cannot be written: No such file or directory")


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: who reads the path meanwhile finds the old file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise unusable(path, "", f"cannot be written: {error.strerror}") from None


def summary(built: Reference, path: Path) -> dict[str, Any]:
    """What was built, as JSON values: hash, rows, panes, and a few facts of every feature."""
    return {
        "reference": str(path),
        "sha256": built.hash,
        "model": built.model,
        "rows": built.rows,
        "pane_ms": built.pane_ms,
        "panes": None if built.pane_starts is None else len(built.pane_starts),
        "features": {name: facts(profile) for name, profile in built.features.items()},
    }


def facts(profile: Profile) -> dict[str, Any]:
    """Type, bins, missing, and the range of numbers or the number of rows beyond the named categories."""
    if isinstance(profile, NumericProfile):
        numbers = {"nonfinite": profile.nonfinite, "minimum": profile.minimum, "maximum": profile.maximum}
        return {"type": "numeric", "bins": len(profile.counts), "missing": profile.missing} | numbers
    names = {"bins": len(profile.counts), "missing": profile.missing, "other": profile.other}
    return {"type": "categorical"} | names


def _show(built: Reference, path: Path) -> None:
    table = Table("feature", "type", title=Text(f"{built.model}: {built.rows} rows"), title_justify="left")
    for heading in ("bins", "missing", "range"):
        table.add_column(heading, justify="right")
    for row in _rows(built):
        table.add_row(*(Text(cell) for cell in row))  # Text: a column's name is never read as markup
    console = Console()
    console.print(table)
    console.print(Text(f"{path}: sha256 {built.hash}, {_order(built)}"), soft_wrap=True)


def _rows(built: Reference) -> Iterator[tuple[str, ...]]:
    profiles = dict(built.features) | ({"(score)": built.score} if built.score else {})
    profiles |= {"(outcome)": built.outcomes} if built.outcomes else {}
    for name, profile in profiles.items():
        missing = profile.missing / profile.rows
        yield name, facts(profile)["type"], str(len(profile.counts)), f"{missing:.2%}", _range(profile)


def _range(profile: Profile) -> str:
    if isinstance(profile, NumericProfile):
        return "" if profile.minimum is None else f"{profile.minimum:g} … {profile.maximum:g}"
    more = f" and {profile.other} rows of others" if profile.other else ""
    return ", ".join(profile.categories[:3]) + (" …" if len(profile.categories) > 3 else "") + more


def _order(built: Reference) -> str:
    if built.pane_ms is None or built.pane_starts is None:
        return "no time order (no --time): only live panes can calibrate the test, 100 of them or 20 days"
    return f"{len(built.pane_starts)} panes of {duration_text(built.pane_ms)}"
