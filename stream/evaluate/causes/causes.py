"""What may have happened to the columns that drift: when it is looked for, and what is remembered of it.  Pure.

A fault fills its windows bit by bit, and a window that holds it in part looks like something else: simulated, of 210 windows that a
unit, a shift or a flipped sign fills by a twelfth to three quarters a cause is named of 23, and of two the right one.  So a column
is looked at once it has drifted for a whole window, and as a signature takes milliseconds, again after two, four, eight ...  In
between what was found last is told.  What is remembered is stored with the model's standing, so a worker that goes on from it says
the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nlargest

import msgspec

from schemas.reports import Column, ColumnCause, Report

#: Columns of a window that are looked at in one judgement, the furthest from the reference first.
MOST_AT_ONCE = 16


class Looked(msgspec.Struct, frozen=True, array_like=True):
    """A column that drifts: the ends of its first window and of the one looked at last (none: ``since``), and what was found."""

    since: int
    at: int
    cause: ColumnCause | None = None


_DECODER = msgspec.json.Decoder(dict[str, Looked])


@dataclass(frozen=True, slots=True)
class Causes:
    """Of each column of each window that was in drift when the window was judged last."""

    columns: Mapping[str, Looked] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The stored form."""
        return msgspec.json.encode(self.columns)

    @staticmethod
    def from_json(stored: bytes) -> Causes:
        """What ``to_json`` wrote.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        return Causes(_DECODER.decode(stored))


#: (room, name) of a column.
Which = tuple[str, str]


def due(report: Report, causes: Causes, *, able: frozenset[Which]) -> list[Which]:
    """The columns of a report to look at now, of those that can have a cause."""
    length = report.end - report.start
    drifting = {
        which: column for which, column in _columns(report).items() if column.state == "drift" and which in able
    }
    wanted = [
        which
        for which in drifting
        if (known := causes.columns.get(_key(report, which))) is not None
        and is_due(known, report.end, length_ms=length)
    ]
    return nlargest(MOST_AT_ONCE, wanted, key=lambda which: _distance(drifting[which]))


def is_due(looked: Looked, end_ms: int, *, length_ms: int) -> bool:
    """Whether it has been drifting for so long since it was looked at last.

    >>> [at for at in range(100, 190) if is_due(Looked(100, at - 1), at, length_ms=20)]
    [120, 140, 180]
    """
    then, now = ((at - looked.since) // length_ms for at in (looked.at, end_ms))
    return now.bit_length() > then.bit_length()


def told(
    report: Report, causes: Causes, found: Mapping[Which, ColumnCause | None], *, able: frozenset[Which]
) -> tuple[Report, Causes]:
    """The report with the causes of its columns, those just found and those remembered, and what is to be remembered."""
    own = f"{report.window}|{report.end - report.start}|"
    kept = {key: looked for key, looked in causes.columns.items() if not key.startswith(own)}
    rooms = {"features": dict(report.features), "prediction": dict(report.prediction)}
    for which, column in _columns(report).items():
        if column.state == "drift" and which in able:
            looked = causes.columns.get(_key(report, which)) or Looked(report.end, report.end)
            if which in found:
                looked = Looked(looked.since, report.end, found[which])
            kept[_key(report, which)] = looked
            if looked.cause is not None:
                rooms[which[0]][which[1]] = msgspec.structs.replace(column, cause=looked.cause)
    if len(kept) == 0 and not causes.columns:
        return report, causes
    return msgspec.structs.replace(report, **rooms), Causes(kept)


def _columns(report: Report) -> dict[Which, Column]:
    rooms = {"features": report.features, "prediction": report.prediction}
    return {(room, name): column for room, columns in rooms.items() for name, column in columns.items()}


def _key(report: Report, which: Which) -> str:
    """Windows of one name and different lengths (slow ones) are apart."""
    return f"{report.window}|{report.end - report.start}|{which[0]}|{which[1]}"


def _distance(column: Column) -> float:
    psi = column.measures.get("psi")
    return psi.value if psi is not None and psi.value is not None else 0.0
