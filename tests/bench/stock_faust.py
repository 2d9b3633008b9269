"""What Faust's tutorial shows: an agent over a topic, one event at a time, Faust's defaults; it only counts raw bytes."""

from __future__ import annotations

from typing import Any

import faust

from schemas.settings import Settings
from tests.bench.tally import Tally


def stock_app(settings: Settings, tally: Tally) -> faust.App:
    """Faust as anybody sets it up, and what it counts is told."""
    app = faust.App(
        f"{settings.names.group}-stock",
        broker=[f"kafka://{host}" for host in settings.kafka.split(",")],
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
    )
    tally.told_by(app)
    return app


def main(settings: Settings) -> None:
    """Count until told to stop."""
    tally = Tally()
    app = stock_app(settings, tally)

    @app.agent(app.topic(settings.names.topic("predictions"), value_type=bytes, value_serializer="raw"))
    async def count(stream: Any) -> None:
        async for _ in stream:
            tally.events += 1

    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(Settings())
