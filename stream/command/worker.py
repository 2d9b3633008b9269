"""``driftline worker``: the long-running process that counts."""

from __future__ import annotations

import typer

from schemas.settings import load_settings


def worker() -> None:
    """Read the incoming topics and count, until told to stop (Ctrl-C or SIGTERM).

    Run as many as you like: they share the partitions, and one that dies is replaced by the others without a lost or doubled
    event. What to watch comes from `driftline apply`; no file is needed here. The exit code is 1 where Kafka or Redis did
    not answer within DRIFTLINE_START_TIMEOUT_S.
    """
    from stream.app import run  # Faust takes a second to import, which no other command should wait for

    raise typer.Exit(run(load_settings()))
