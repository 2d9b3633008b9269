"""``driftline demo``: the year of flights on an embedded broker and Redis."""

from __future__ import annotations

from typing import Annotated

import typer

from schemas.errors import DriftlineError
from stream.command.options import AsJson


def demo(
    *,
    leave: Annotated[
        bool, typer.Option("--exit", help="End after the table; otherwise everything runs on until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replay a year of flights through a worker, and compare each month with January.

    Needs no Kafka and no Redis: both are started here and end with the demo.
    """
    try:
        from stream.local.show import run_demo  # pandas and scikit-learn, which only the demo needs
    except ModuleNotFoundError as missing:
        raise DriftlineError(
            f"the demo needs the package {missing.name}: install driftline with its extra `demo`"
        ) from None

    run_demo(stay=not leave, as_json=as_json)
