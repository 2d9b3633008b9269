"""Which statistic exists under which convention for which kind of column, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detectors.conventions.deepchecks import DEEPCHECKS
from detectors.conventions.driftline import DRIFTLINE
from detectors.conventions.evidently import EVIDENTLY
from detectors.conventions.frouros import FROUROS
from detectors.conventions.method import STATISTICS, Convention, Kind, Needs, Statistic
from detectors.conventions.nannyml import NANNYML
from detectors.conventions.textbook import DECILES, FIDDLER, PERCENTILE
from detectors.conventions.whylabs import WHYLABS

CONVENTIONS: dict[str, Convention] = {
    one.name: one for one in (DRIFTLINE, DECILES, PERCENTILE, EVIDENTLY, NANNYML, FROUROS, WHYLABS, FIDDLER, DEEPCHECKS)
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair that makes sense: a statistic of a convention for a kind of column, and what it needs of the reference."""

    statistic: Statistic
    convention: str
    kind: Kind
    needs: Needs


def cells() -> Iterator[Cell]:
    """All of them, in the order of statistics and conventions.

    >>> [cell.convention for cell in cells() if cell.statistic == "cramers_v"]
    ['driftline', 'deepchecks']
    """
    for statistic in STATISTICS:
        for name, convention in CONVENTIONS.items():
            if statistic in convention.numeric:
                yield Cell(statistic, name, "numeric", convention.numeric[statistic].needs)
            if statistic in convention.categorical:
                yield Cell(statistic, name, "categorical", convention.categorical[statistic].needs)
            if statistic in convention.embedding:
                yield Cell(statistic, name, "embedding", convention.embedding[statistic].needs)


def kinds(statistic: str, convention: str) -> tuple[Kind, ...]:
    """The kinds of column for which a convention has a statistic; none where the pair makes no sense.

    >>> kinds("psi", "evidently"), kinds("ks", "nannyml"), kinds("psi", "nannyml")
    (('numeric', 'categorical'), ('numeric',), ())
    """
    return tuple(cell.kind for cell in cells() if (cell.statistic, cell.convention) == (statistic, convention))


def table() -> list[list[str]]:
    """The matrix for people: a row a statistic, a column a convention.

    n: numeric, c: categorical, on counts; N, E (embedding): needs the reference's rows; C: those, or a profile that lists every
    name.

    >>> table()[0]
    ['', 'driftline', 'deciles', 'percentile', 'evidently', 'nannyml', 'frouros', 'whylabs', 'fiddler', 'deepchecks']
    >>> table()[1]
    ['psi', 'nc', 'nc', 'n', 'NC', '-', 'N', 'NC', 'nc', 'C']
    """
    letters: dict[tuple[str, str], str] = {}
    for cell in cells():
        letter = cell.kind[0].upper() if cell.needs == "rows" else cell.kind[0]
        at = cell.statistic, cell.convention
        letters[at] = letters.get(at, "") + letter
    rows = [[statistic, *(letters.get((statistic, name), "-") for name in CONVENTIONS)] for statistic in STATISTICS]
    return [["", *CONVENTIONS], *rows]
