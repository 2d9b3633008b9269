"""Settings: a wrong variable is named with its value and what is allowed; passwords are never shown."""

import pytest

from schemas.errors import ConfigError
from schemas.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _no_variables_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DRIFTLINE_{name.upper()}", raising=False)


def refusal(**overrides: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(**overrides)
    return str(caught.value)


def test_defaults_are_a_local_kafka_and_redis() -> None:
    settings = load_settings()
    assert settings.kafka == "localhost:9092"
    assert settings.flush_interval_s == 0.5
    assert settings.names.topic("predictions") == "predictions"


def test_a_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_ENVIRONMENT", "staging")
    assert load_settings().names.topic("predictions") == "staging.predictions"


def test_a_wrong_variable_is_named_with_its_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRIFTLINE_HTTP_PORT", "99999")
    monkeypatch.setenv("DRIFTLINE_FLUSH_INTERVAL_S", "0")
    assert refusal() == (
        "environment: DRIFTLINE_FLUSH_INTERVAL_S: is '0', allowed: greater than 0\n"
        "environment: DRIFTLINE_HTTP_PORT: is '99999', allowed: "
        "a port, or 0 for the first free of 8780 to 8788"
    )


def test_several_wrong_settings_are_all_named() -> None:
    said = refusal(kafka="somewhere", environment="Staging!", log_level="LOUD", pause=1)
    assert said.splitlines() == [
        "environment: DRIFTLINE_KAFKA: is 'somewhere', allowed: host:port, or several with commas",
        "environment: DRIFTLINE_ENVIRONMENT: is 'Staging!', allowed: at most 32 of a-z, 0-9 and -",
        "environment: DRIFTLINE_LOG_LEVEL: is 'LOUD', allowed: 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
        "environment: DRIFTLINE_PAUSE: is not a setting",
    ]


def test_settings_must_agree() -> None:
    assert refusal(session_timeout_s=40) == (
        "environment: DRIFTLINE_SESSION_TIMEOUT_S is 40.0, allowed: at most DRIFTLINE_REQUEST_TIMEOUT_S, which is 30.0"
    )


def test_a_password_is_not_quoted_when_wrong() -> None:
    assert refusal(redis="http://me:hunter2@cache") == (
        "environment: DRIFTLINE_REDIS: is 'http://me:***@cache', allowed: a redis://, rediss://, redis+cluster://, "
        "rediss+cluster:// or unix:// URL"
    )
