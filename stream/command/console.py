"""``driftline console``: the page for people, until told to stop."""

from __future__ import annotations

from schemas.settings import load_settings


def console() -> None:
    """Serve the console page: models, drift over time, histograms, incidents (Ctrl-C or SIGTERM ends it).

    It reads Redis only and changes nothing, so one is enough for any number of workers, and it works while Kafka is down.
    DRIFTLINE_CONSOLE_HOST and DRIFTLINE_CONSOLE_PORT say where it listens: 127.0.0.1:8789 unless told otherwise.
    """
    from stream.expose.console.serve import run  # the web server, which no other command should wait for

    run(load_settings())
