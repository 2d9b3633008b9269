"""What one record may grow to: small as bytes, it may be large as what it would be counted in, and is refused then."""

from __future__ import annotations

from schemas.columnar import MOST_CELLS
from schemas.errors import RejectedEvent

#: The events of one record may fall into so many panes, each of which costs a partial of its model's layout.
MOST_PANES = 1_000


def check_cells(cells: int) -> None:
    """Refuse a record whose values fill so many cells of the models that declare the feature.

    :raises RejectedEvent: ``too_large``.
    """
    if cells > MOST_CELLS:
        detail = f"fill {cells} cells of the models that declare the feature, at most {MOST_CELLS}"
        raise RejectedEvent("too_large", "values", f"{detail}; split them over several records")


def check_panes(panes: int) -> None:
    """Refuse a record whose events fall into so many panes, counted by model.

    :raises RejectedEvent: ``too_large``.
    """
    if panes > MOST_PANES:
        detail = f"its events fall into {panes} panes, at most {MOST_PANES}; split them over several records"
        raise RejectedEvent("too_large", "timestamp", detail)
