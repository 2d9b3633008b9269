"""How a client of Kafka is made: the one place that knows where the brokers are and how they are spoken to.

Clients of confluent-kafka are made with :func:`kafka_options`; Faust's consumer (aiokafka) is told :func:`faust_broker`.
"""

from __future__ import annotations

from typing import Any

from schemas.settings import Settings


def kafka_options(settings: Settings, **more: Any) -> dict[str, Any]:
    """What a client of confluent-kafka is made with; it prints nothing by itself, since errors are told once and by us."""
    return {"bootstrap.servers": settings.kafka, "log_level": 0, **more}


def faust_broker(settings: Settings) -> dict[str, Any]:
    """What a Faust application is told of its brokers, beside their addresses."""
    return {}
