"""``driftline counts``: what is stored of a model and a range of time, summed; what exactness is checked against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from schemas.settings import load_settings
from stream.command.connect import ask_redis
from stream.command.options import AsJson, moment_ms, stream_named
from stream.command.printing import entries, moment, print_json, print_lines, print_table, shown
from stream.state.arms import ARMS
from stream.state.reading import read_counts

Counts = Mapping[str, Any]
#: Names shown of a categorical column, most frequent first.
NAMES_SHOWN = 3


def counts(
    *,
    model: Annotated[str, typer.Option(help="Name of the model, as events carry it.")],
    from_ms: Annotated[
        int, typer.Option("--from", parser=moment_ms, metavar="TIME", help="First pane: it begins here or later.")
    ],
    to_ms: Annotated[
        int, typer.Option("--to", parser=moment_ms, metavar="TIME", help="Panes that begin here or later are left out.")
    ],
    stream: Annotated[str, typer.Option(help="predictions, labels, features or serving.")] = "predictions",
    layout: Annotated[
        str | None, typer.Option(help="Hash of a layout that was in force once, as other_layouts names it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sum the stored counts of a range of panes, over all partitions.

    A TIME is epoch milliseconds, RFC 3339 with an offset, or a day such as 2013-01-31 (its start in UTC). Panes are whole:
    each that begins within the range counts. Panes of another layout (after a change of the reference or of the pane's
    length) are never added up with these: they are named, with their events, and --layout sums them instead.
    """
    settings = load_settings()
    chosen = stream_named(stream, settings.names)
    found = ask_redis(
        settings,
        lambda redis, names: read_counts(
            redis, names, model=model, stream=chosen, from_ms=from_ms, to_ms=to_ms, layout_hash=layout
        ),
    )
    if as_json:
        print_json(found)
    else:
        show(found)


def show(found: Counts) -> None:
    """The counts for people: a line of totals, then the numeric and the categorical columns."""
    print_lines([_totals(found)])
    columns = dict(columns_of(found))
    numeric = {name: column for name, column in columns.items() if "edges" in column}
    named = {name: column for name, column in columns.items() if "categories" in column}
    if numeric:
        number_heads = (
            "numbers",
            "n#",
            "missing#",
            "not finite#",
            "wrong type#",
            "mean#",
            "sd#",
            "minimum#",
            "maximum#",
        )
        print_lines([""])
        print_table(columns=number_heads, rows=[_numeric(name, column) for name, column in numeric.items()])
    if named:
        name_heads = ("names", "n#", "missing#", "other#", "unseen#", "wrong type#", "most frequent")
        print_lines([""])
        print_table(columns=name_heads, rows=[_named(name, column) for name, column in named.items()])
    for arms in found.get("arms", ()):
        _show_arms(arms)
    if found["other_layouts"]:
        print_lines([f"not summed, counted in other layouts: {entries(found['other_layouts'])} events"])


def _show_arms(arms: Counts) -> None:
    """What one release counted by version."""
    print_lines([""])
    heads = ("version", "arm", "events#", "errors#", "latency mean#", "rating mean#", "score mean#")
    print_table(columns=heads, rows=[_arm(name, arms[name]) for name in ARMS])
    print_lines([f"{arms['other']} events of other versions, {arms['none']} of none; layout {arms['layout']}"])


def _arm(name: str, arm: Counts) -> tuple[object, ...]:
    errors = arm["status"]["categories"]["error"] if "status" in arm else None
    means = (arm[column]["mean"] if column in arm else None for column in ("latency_s", "rating", "score"))
    return arm["version"], name, arm["events"], errors, *means


def columns_of(found: Counts) -> Iterator[tuple[str, Counts]]:
    """Every column by its dotted name, features first."""
    for room in ("features", "prediction"):
        yield from ((name if room == "features" else f"{room}.{name}", it) for name, it in found.get(room, {}).items())
    for name, value in found.items():
        if isinstance(value, Mapping) and ("edges" in value or "categories" in value):
            yield name, value


def _totals(found: Counts) -> str:
    span = f"{moment(found['from'])} to {moment(found['to'])}"
    unknown = f"{found['unknown_features']} unknown features, {found['unknown_keys']} unknown keys"
    return (
        f"{found['model']}, {found['stream']}, {span}: {found['events']} events in {found['panes']} panes, "
        f"{found['late']} late, {found['revisions']} revisions, {unknown}; layout {found['layout']}"
    )


def _numeric(name: str, column: Counts) -> tuple[object, ...]:
    odd = column["nan"] + column["positive_infinity"] + column["negative_infinity"]
    moments = (column[key] for key in ("mean", "sd", "minimum", "maximum"))
    return name, column["n"], column["missing"], odd, column["wrong_type"], *moments


def _named(name: str, column: Counts) -> tuple[object, ...]:
    names = column["categories"]
    first = sorted(names, key=lambda each: -names[each])[:NAMES_SHOWN]
    frequent = ", ".join(f"{shown(each)} {names[each]}" for each in first if names[each])
    tail = (column[key] for key in ("missing", "other", "unseen", "wrong_type"))
    return name, sum(names.values()), *tail, frequent
