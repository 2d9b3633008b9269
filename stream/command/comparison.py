"""What `driftline compare` finds: every statistic of every column under its convention, and a verdict on each column.

A verdict is the calibrated test's, at a false-discovery rate over the columns; the distances describe and decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.calibration.false_discovery import adjusted
from detectors.conventions.decide import Decided, State, in_order, independent
from detectors.conventions.matrix import CONVENTIONS, kinds
from detectors.conventions.measure import Measured, kind_of, measure
from detectors.conventions.method import STATISTICS, Kind
from detectors.conventions.pair import NamesPair, Pair
from detectors.distances.ladders import LADDERS, Ladder, Level
from stream.command.compared_columns import Compared


@dataclass(frozen=True, slots=True)
class Asked:
    """Which statistics under which convention; the rate of false findings among the verdicts, or the rules that decide instead."""

    statistics: tuple[str, ...]
    convention: str
    rate: float
    rules: tuple[Ladder, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: its numbers by statistic, its state, the test's p-value, and that p-value adjusted for the other columns.

    levels: what each fixed rule says of it, of those that its numbers suffice for.
    """

    name: str
    kind: Kind
    pair: Pair
    measured: Mapping[str, Measured]
    state: State
    p_value: float | None
    adjusted: float | None
    levels: Mapping[str, Level]
    reason: str


def senseless(asked: Asked, present: Collection[Kind]) -> list[str]:
    """The statistics asked for that the convention has for none of the kinds of column there are."""
    return [one for one in asked.statistics if not set(kinds(one, asked.convention)) & set(present)]


def columns_of(compared: Compared, asked: Asked) -> list[Column]:
    """Every column, the surest finding first."""
    decided = {name: _decided(pair, compared.panes) for name, pair in compared.pairs.items()}
    rates = adjusted({name: one.p_value if one.enough else None for name, one in decided.items()})
    found = [
        _column(name, pair, asked, decided=decided[name], adjusted=rates.get(name))
        for name, pair in compared.pairs.items()
    ]
    return sorted(found, key=lambda column: (column.adjusted is None, column.adjusted or 0.0, column.p_value or 0.0))


def exit_code(columns: Sequence[Column]) -> int:
    """1 where a column has drifted, else 0."""
    return int(any(column.state == "drift" for column in columns))


def as_json(columns: Sequence[Column], compared: Compared, asked: Asked) -> dict[str, Any]:
    """Everything as JSON values; `state` of every statistic repeats its column's verdict."""
    by_name = sorted(columns, key=lambda column: column.name)
    return {
        "rows": {"reference": compared.rows[0], "current": compared.rows[1]},
        "false_discovery_rate": asked.rate,
        "rows_independent": compared.panes is None,
        "features": {column.name: _statistics(column) for column in by_name},
        "verdicts": {column.name: _verdict(column) for column in by_name},
        "only_in_reference": list(compared.only_in_reference),
        "only_in_current": list(compared.only_in_current),
    }


def sources(reference: Path, current: Path, asked: Asked) -> dict[str, str]:
    """What was compared, and what the convention's name stands for."""
    return {
        "reference": str(reference),
        "current": str(current),
        "convention": asked.convention,
        "convention_is": CONVENTIONS[asked.convention].source,
    }


def _decided(pair: Pair, panes: int | None) -> Decided:
    return independent(pair) if panes is None else in_order(pair, panes)


def _column(name: str, pair: Pair, asked: Asked, *, decided: Decided, adjusted: float | None) -> Column:
    kind = kind_of(pair)
    wanted = [one for one in STATISTICS if one in asked.statistics and kind in kinds(one, asked.convention)]
    measured: dict[str, Measured] = {one: measure(pair, one, asked.convention) for one in wanted}
    levels = _levels(measured)
    ruled = [levels[rule.name] for rule in asked.rules if rule.name in levels]
    return Column(
        name=name,
        kind=kind,
        pair=pair,
        measured=measured,
        state=_by_rules(ruled) if asked.rules else _by_test(decided, adjusted, rate=asked.rate),
        p_value=decided.p_value,
        adjusted=adjusted,
        levels=levels,
        reason=decided.reason,
    )


def _by_test(decided: Decided, adjusted: float | None, *, rate: float) -> State:
    return "drift" if adjusted is not None and adjusted <= rate else decided.state


def _by_rules(levels: Sequence[Level]) -> State:
    """Drift where a rule's first step is passed; a column that no rule is about has nothing to decide with."""
    if not levels:
        return "not_enough_data"
    return "drift" if any(level != "none" for level in levels) else "ok"


def _levels(measured: Mapping[str, Measured]) -> dict[str, Level]:
    found: dict[str, Level] = {}
    for name, rule in LADDERS.items():
        one = measured.get(rule.statistic)
        if one is not None and (one.value if rule.of == "value" else one.p_value) is not None:
            found[name] = rule.of_number(one.value, one.p_value)
    return found


def _statistics(column: Column) -> dict[str, Any]:
    return {name: _number(one, column.state) for name, one in column.measured.items()}


def _number(one: Measured, state: State) -> dict[str, Any]:
    found = {
        "value": one.value,
        "p_value": one.p_value,
        "n": one.n_current,
        "n_reference": one.n_reference,
        "convention": one.convention,
        "state": state,
    }
    return found if not one.reason else found | {"reason": one.reason}


def unseen(column: Column) -> int:
    """Current rows of names that the reference never held; 0 for numbers."""
    return column.pair.unseen if isinstance(column.pair, NamesPair) else 0


def _verdict(column: Column) -> dict[str, Any]:
    missing = column.pair.without_value
    found = {
        "kind": column.kind,
        "state": column.state,
        "p_value": column.p_value,
        "adjusted_p_value": column.adjusted,
        "rules": dict(column.levels),
        "missing": {"reference": missing[0], "current": missing[1]},
        "unseen": unseen(column),
    }
    return found if not column.reason else found | {"reason": column.reason}
