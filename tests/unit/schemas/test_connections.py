"""Settings of connections that do not fit together are said together with what would; nothing of a password is shown."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import ConfigError
from schemas.settings import Settings, load_settings

SASL = {"kafka_protocol": "SASL_SSL", "kafka_user": "driftline", "kafka_password": "hunter2"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        SASL,
        {"kafka_protocol": "SSL", "kafka_cert": "a.pem", "kafka_key": "a.key"},
        {"kafka_protocol": "SASL_PLAINTEXT", "kafka_user": "driftline", "kafka_password_file": "/run/secrets/kafka"},
        {"redis": "redis+cluster://driftline@a:7000,b:7000", "redis_password_file": "/run/secrets/redis"},
        {"redis": "rediss+cluster://a:7000", "redis_ca": "ca.pem"},
    ],
)
def test_what_fits_is_taken(given: dict[str, Any]) -> None:
    assert load_settings(**given) == Settings(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_protocol": "SASL_SSL", "kafka_password": "hunter2"}, "is SASL_SSL, which needs DRIFTLINE_KAFKA_USER"),
        ({"kafka_protocol": "SASL_SSL", "kafka_user": "d"}, "which needs DRIFTLINE_KAFKA_PASSWORD (or _FILE)"),
        (SASL | {"kafka_password_file": "f"}, "DRIFTLINE_KAFKA_PASSWORD and DRIFTLINE_KAFKA_PASSWORD_FILE are both set"),
        ({"kafka_user": "d"}, "DRIFTLINE_KAFKA_USER is set, and DRIFTLINE_KAFKA_PROTOCOL is PLAINTEXT, which has no use for it"),
        ({"kafka_password": "hunter2"}, "DRIFTLINE_KAFKA_PASSWORD (or _FILE) is set, and DRIFTLINE_KAFKA_PROTOCOL is PLAINTEXT"),
        ({"kafka_ca": "ca.pem"}, "DRIFTLINE_KAFKA_CA is set, and DRIFTLINE_KAFKA_PROTOCOL is PLAINTEXT"),
        (SASL | {"kafka_cert": "a.pem"}, "DRIFTLINE_KAFKA_CERT and DRIFTLINE_KAFKA_KEY belong together"),
        ({"kafka_protocol": "sasl"}, "is 'sasl', allowed: 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL'"),
        ({"redis_ca": "ca.pem"}, "DRIFTLINE_REDIS_CA is set, and the address in DRIFTLINE_REDIS does not begin with rediss"),
        ({"redis": "redis://:hunter2@a:1", "redis_password_file": "f"}, "DRIFTLINE_REDIS_PASSWORD_FILE is set, and the address"),
        ({"instance_id": "worker 1"}, "DRIFTLINE_INSTANCE_ID: is 'worker 1', allowed: at most 100 of a-z"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_the_way_out(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(**given)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_password_is_not_shown_with_the_settings() -> None:
    assert "hunter2" not in repr(Settings(**SASL))  # type: ignore[arg-type]
