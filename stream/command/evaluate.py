"""``driftline evaluate``: the long-running process that only evaluates, beside workers that only count."""

from __future__ import annotations

import typer

from schemas.settings import load_settings


def evaluate() -> None:
    """Evaluate what workers have counted, and read nothing, until told to stop (Ctrl-C or SIGTERM).

    A worker does so itself, unless DRIFTLINE_EVALUATE is `elsewhere`: then counting has its core to itself. Run as many as you
    like; they share the models with each other and with workers that evaluate. The exit code is 1 where Kafka or Redis did not
    answer within DRIFTLINE_START_TIMEOUT_S.
    """
    from stream.evaluation_apart import run  # takes a second to import, which no other command should wait for

    raise typer.Exit(run(load_settings()))
