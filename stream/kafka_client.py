"""How a client of Kafka is made: the one place that knows where the brokers are and how they are spoken to.

Clients of confluent-kafka are made with :func:`kafka_options`, one that asks for as long as a process lives by
:func:`asking_client`; Faust's consumer (aiokafka) is told :func:`faust_broker`.
"""

from __future__ import annotations

import ssl
import time
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigError, Problem
from schemas.settings import Settings
from stream.files_named import certificates_of, password_of

#: What no waiting mends, and which settings it is about.
_REFUSALS = {
    KafkaError._AUTHENTICATION: "DRIFTLINE_KAFKA_USER, DRIFTLINE_KAFKA_PASSWORD and DRIFTLINE_KAFKA_MECHANISM",
    KafkaError._SSL: "DRIFTLINE_KAFKA_PROTOCOL, DRIFTLINE_KAFKA_CA, DRIFTLINE_KAFKA_CERT and DRIFTLINE_KAFKA_KEY",
}
#: librdkafka asks who leads and who is the controller every five minutes, and connects to whom it needs: a question for a
#: broker that is gone runs into its time limit until then, and has it connect anew without a pause, on a core of its own.
_ASKS: dict[str, Any] = {"topic.metadata.refresh.interval.ms": 5_000, "enable.sparse.connections": False}
_FILES = {"ca": "ssl.ca.location", "cert": "ssl.certificate.location", "key": "ssl.key.location"}


def kafka_options(settings: Settings, **more: Any) -> dict[str, Any]:
    """What a client of confluent-kafka is made with; it prints nothing by itself, since errors are told once and by us.

    :raises ConfigError: a file that settings name cannot be read.
    """
    return {"bootstrap.servers": settings.kafka, "log_level": 0, **_security(settings), **more}


def asking_client(settings: Settings) -> AdminClient:
    """A client for questions that goes on asking, and rests, while one of several brokers is gone.

    :raises ConfigError: a file that settings name cannot be read.
    """
    return AdminClient(kafka_options(settings, **_ASKS))


def faust_broker(settings: Settings) -> dict[str, Any]:
    """What a Faust application is told of its brokers, beside their addresses.

    :raises ConfigError: a file that settings name cannot be read, or holds no certificate.
    """
    from faust.auth import SASLCredentials, SSLCredentials  # takes a second, which no command should wait for

    context = _context(settings) if settings.kafka_protocol.endswith("SSL") else None
    if settings.kafka_protocol.startswith("SASL"):
        sasl = SASLCredentials(
            username=settings.kafka_user,
            password=_password(settings),
            mechanism=settings.kafka_mechanism,
            ssl_context=context,
        )
        return {"broker_credentials": sasl}
    return {"broker_credentials": SSLCredentials(context)} if context else {}


def refusal(settings: Settings, *, within_s: float) -> ConfigError | None:
    """Why the brokers want nothing to do with this client, where that is so: to be asked when they gave no answer."""
    heard: list[KafkaError] = []
    admin = AdminClient(kafka_options(settings, error_cb=heard.append))
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        admin.poll(0.1)
        for error in heard:
            if error.code() in _REFUSALS:
                return _refused(settings, error)
    return None


def _refused(settings: Settings, error: KafkaError) -> ConfigError:
    said = f"at {settings.kafka} refuses this client ({error.str()}); correct {_REFUSALS[error.code()]}"
    return ConfigError([Problem("Kafka", 0, "", said)])


def _security(settings: Settings) -> dict[str, str]:
    if settings.kafka_protocol == "PLAINTEXT":
        return {}
    options: dict[str, str] = {"security.protocol": settings.kafka_protocol}
    if settings.kafka_protocol.startswith("SASL"):
        options |= {
            "sasl.mechanism": settings.kafka_mechanism,
            "sasl.username": settings.kafka_user,
            "sasl.password": _password(settings),
        }
    return options | {_FILES[part]: path for part, path in certificates_of(settings, "kafka").items()}


def _password(settings: Settings) -> str:
    return settings.kafka_password.get_secret_value() or password_of(settings, "kafka")


def _context(settings: Settings) -> ssl.SSLContext:
    files = certificates_of(settings, "kafka")
    try:
        context = ssl.create_default_context(cafile=files.get("ca"))
        if "cert" in files:
            context.load_cert_chain(files["cert"], files["key"])
    except ssl.SSLError as error:
        said = f"hold no certificate that can be used ({error.reason})"
        raise ConfigError([Problem("environment", 0, "DRIFTLINE_KAFKA_CA, _CERT, _KEY", said)]) from None
    return context
