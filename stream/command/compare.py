"""``driftline compare``: has a file of rows drifted from a reference, column by column, under whose convention?

Exit code for a CI gate: 0 no column has drifted, 1 one has, 2 wrong use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from detectors.conventions.matrix import CONVENTIONS, cells, table
from detectors.conventions.measure import kind_of
from detectors.conventions.method import STATISTICS
from detectors.distances.ladders import LADDERS, Ladder
from stream.command.compared_columns import Compared, compared_columns
from stream.command.comparison import Asked, Column, as_json, columns_of, exit_code, senseless, sources, unseen
from stream.command.comparison_page import write_page
from stream.command.options import AsJson, pane_ms
from stream.command.printing import print_json, print_lines, print_table
from stream.command.row_file import Wanted

WRONG_USE = 2
LEGEND = (
    "n: numeric, c: categorical; N, E (embedding): needs the reference's rows; "
    "C: those, or a profile that lists every name; -: no sense"
)

Files = Annotated[
    Path, typer.Argument(help="Rows (.csv, .parquet, .jsonl), or a profile of `driftline reference build`.")
]
Rows = Annotated[Path, typer.Argument(help="Rows: .csv, .parquet or .jsonl.")]
Statistics = Annotated[
    list[str] | None, typer.Option("--statistic", help=f"One of {' '.join(STATISTICS)}; repeatable. Without it, all.")
]
Convention = Annotated[str, typer.Option("--convention", help=f"One of {' '.join(CONVENTIONS)}.")]
Time = Annotated[
    str | None, typer.Option("--time", help="Column of the rows' time; without it rows count as independent.")
]
Pane = Annotated[
    int,
    typer.Option(
        "--pane", parser=pane_ms, metavar="DURATION", help="Length of a pane of the reference's rows, with --time."
    ),
]
Exclude = Annotated[list[str] | None, typer.Option(help="Column to leave out; repeatable.")]
Categorical = Annotated[list[str] | None, typer.Option(help="Column of names, also if they look like numbers.")]
Rate = Annotated[float, typer.Option("--fdr", help="Share of false findings among the columns said to have drifted.")]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", help=f"Decide by a fixed rule and not by the test: {', '.join(LADDERS)}; repeatable."),
]
Together = Annotated[
    bool, typer.Option("--together", help="Compare all numeric columns as one, too: do they still go together?")
]
Page = Annotated[Path | None, typer.Option("--html", help="Write a report with histograms to this file.")]


def compare(
    reference: Files,
    current: Rows,
    *,
    statistic: Statistics = None,
    convention: Convention = "driftline",
    time: Time = None,
    pane: Pane = "1h",  # type: ignore[assignment]
    exclude: Exclude = None,
    categorical: Categorical = None,
    fdr: Rate = 0.01,
    rule: Rules = None,
    together: Together = False,
    html: Page = None,
    as_json_: AsJson = False,
) -> None:
    """Compare a file of rows with a reference, column by column.

    The verdict is a calibrated test's over all columns (Benjamini-Yekutieli); the statistics describe. Exit code 0: no column has
    drifted, 1: one has, 2: wrong use.
    """
    rules = _rules(rule or [])
    asked = Asked(_statistics(statistic or [], convention, rules), convention, _rate(fdr), rules)
    wanted = replace(_wanted(exclude or [], categorical or [], time=time, pane=pane), together=together)
    compared = compared_columns(reference, current, wanted)
    _refuse_senseless(statistic or [], asked, compared)
    columns = columns_of(compared, asked)
    said = sources(reference, current, asked)
    if html is not None:
        write_page(html, columns, compared, said=said)
    if as_json_:
        print_json(said | as_json(columns, compared, asked))
    else:
        _show(columns, compared, asked)
    raise typer.Exit(exit_code(columns))


def _wanted(exclude: list[str], categorical: list[str], *, time: str | None, pane: int) -> Wanted:
    if time in exclude:
        raise typer.BadParameter(f"--exclude {time} names the column of --time, which is not compared anyway; drop one")
    return Wanted(tuple(exclude), tuple(categorical), time, pane)


def _statistics(named: list[str], convention: str, rules: tuple[Ladder, ...]) -> tuple[str, ...]:
    """The statistics asked for and those that rules are about; without any, all that the convention has."""
    for one in named:
        if one not in STATISTICS:
            raise typer.BadParameter(f"--statistic {one!r} is none of {' '.join(STATISTICS)}")
    if convention not in CONVENTIONS:
        raise typer.BadParameter(f"--convention {convention!r} is none of {' '.join(CONVENTIONS)}")
    wanted = named or [cell.statistic for cell in cells() if cell.convention == convention]
    return tuple(dict.fromkeys([*wanted, *(rule.statistic for rule in rules)]))


def _rules(named: list[str]) -> tuple[Ladder, ...]:
    for one in named:
        if one not in LADDERS:
            raise typer.BadParameter(f"--rule {one!r} is none of {', '.join(LADDERS)}")
    return tuple(LADDERS[one] for one in named)


def _rate(text: float) -> float:
    if not 0.0 < text < 1.0:
        raise typer.BadParameter(f"--fdr {text:g} is not between 0 and 1")
    return text


def _refuse_senseless(named: list[str], asked: Asked, compared: Compared) -> None:
    """A statistic that was asked for by name must make sense for a column; of all together, one must."""
    present = {kind_of(pair) for pair in compared.pairs.values()}
    refused = senseless(asked, present)
    if any(one in refused for one in named) or len(refused) == len(asked.statistics):
        said = ", ".join(one for one in refused if one in named) or "statistic"
        columns = f"{' or '.join(sorted(present))} column{'' if len(compared.pairs) == 1 else 's'}"
        lines = [f"{asked.convention} has no {said} of {columns}. What there is ({LEGEND}):", *_matrix()]
        typer.echo("\n".join(lines), err=True)
        raise typer.Exit(WRONG_USE)


def _matrix() -> list[str]:
    rows = table()
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _show(columns: Sequence[Column], compared: Compared, asked: Asked) -> None:
    there = [one for one in asked.statistics if any(one in column.measured for column in columns)]
    rows = [
        [
            column.name,
            column.kind,
            column.state,
            column.p_value,
            column.adjusted,
            *(_value(column, one) for one in there),
        ]
        for column in columns
    ]
    print_table(columns=["feature", "kind", "state", "p#", "adjusted p#", *(f"{one}#" for one in there)], rows=rows)
    print_lines(_notes(columns, compared, asked))


def _value(column: Column, statistic: str) -> float | None:
    return column.measured[statistic].value if statistic in column.measured else None


def _notes(columns: Sequence[Column], compared: Compared, asked: Asked) -> Iterator[str]:
    """What the table cannot say: sizes, convention, how it was decided, columns left out, numbers that are not there."""
    drifted = sum(column.state == "drift" for column in columns)
    how = (
        f"rules {', '.join(rule.name for rule in asked.rules)}"
        if asked.rules
        else f"false-discovery rate {asked.rate:g}"
    )
    rows = "rows independent" if compared.panes is None else f"rows in order, {compared.panes} panes"
    yield ""
    yield f"{drifted} of {len(columns)} columns drifted ({how}, {rows})"
    yield f"{compared.rows[0]} rows of reference, {compared.rows[1]} current; convention {asked.convention}"
    for side, names in (("reference", compared.only_in_reference), ("current file", compared.only_in_current)):
        if names:
            yield f"only in the {side}, not compared: {', '.join(names)}"
    for column in columns:
        yield from _reasons(column)


def _reasons(column: Column) -> Iterator[str]:
    if column.reason and column.state != "ok":
        yield f"{column.name}: {column.state}, {column.reason}"
    if unseen(column):
        rows = column.pair.n_current
        yield f"{column.name}: {unseen(column)} of {rows} rows hold a name that the reference never held"
    for reason in dict.fromkeys(one.reason for one in column.measured.values() if one.reason):
        yield f"{column.name}: no {', '.join(n for n, one in column.measured.items() if one.reason == reason)}: {reason}"
