"""The settings of a process, read from ``DRIFTLINE_…`` variables and checked together.

They say where Kafka and Redis are and how patient to be.  What is watched, and how, is in the monitors file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.connections import Kafka, Mechanism, Protocol, RedisAt, disagreement
from schemas.errors import ConfigError, Problem
from schemas.names import Names

PREFIX = "DRIFTLINE_"

_ADDRESSES = r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$"
_REDIS_URL = r"^(rediss?(\+cluster)?|unix)://\S+$"
_ENVIRONMENT = r"^([a-z0-9][a-z0-9-]{0,31})?$"

_INSTANCE = r"^[A-Za-z0-9._-]{0,100}$"

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
#: A pause or a skew: like seconds, and zero means none.
Pause = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class Settings(BaseSettings):
    """One process's settings; each has its unit in its name.  Build it with :func:`load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    kafka: str = Field("localhost:9092", pattern=_ADDRESSES, description="host:port, or several with commas")
    kafka_protocol: Protocol = "PLAINTEXT"
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_user: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_password_file: str = ""
    kafka_ca: str = ""
    kafka_cert: str = ""
    kafka_key: str = ""
    redis: str = Field(
        "redis://localhost:6379/0",
        pattern=_REDIS_URL,
        description="a redis://, rediss://, redis+cluster://, rediss+cluster:// or unix:// URL",
    )
    redis_password_file: str = ""
    redis_ca: str = ""
    redis_cert: str = ""
    redis_key: str = ""
    environment: str = Field("", pattern=_ENVIRONMENT, description="at most 32 of a-z, 0-9 and -")
    flush_interval_s: Seconds = 0.5
    #: A partition whose events change a pane each is stored so seldom, unless evaluation waits for it.
    flush_at_latest_s: Seconds = 5.0
    pane_memory_mib: int = Field(400, ge=16, le=1_048_576)
    short_run_pause_s: Pause = 0.1
    max_run_records: int = Field(2000, ge=1, le=100_000)
    future_skew_s: Pause = 300.0
    session_timeout_s: Seconds = 10.0
    instance_id: str = Field("", pattern=_INSTANCE, description="at most 100 of a-z, A-Z, 0-9, '.', '_' and -")
    request_timeout_s: Seconds = 30.0
    start_timeout_s: Seconds = 60.0
    http_host: str = Field("127.0.0.1", min_length=1)
    http_port: int = Field(0, ge=0, le=65_535, description="a port, or 0 for the first free of 8780 to 8788")
    console_host: str = Field("127.0.0.1", min_length=1)
    console_port: int = Field(8789, ge=1, le=65_535, description="a port")
    gpu_agent_host: str = Field("127.0.0.1", min_length=1)
    gpu_agent_port: int = Field(8790, ge=1, le=65_535, description="a port")
    webhook_host: str = Field("127.0.0.1", min_length=1)
    webhook_port: int = Field(8791, ge=1, le=65_535, description="a port")
    webhook_token_file: str = ""
    webhook_token: SecretStr = SecretStr("")
    #: The longest that an Alertmanager may go without saying again what fires: its route's ``repeat_interval``.
    webhook_repeat_s: Seconds = 14_400.0
    pane_keep_days: int = Field(400, ge=1, le=36_500)
    #: Event time a partition may run ahead of the slowest before it is paused; 0: never paused.
    run_ahead_s: float = Field(0.0, ge=0, allow_inf_nan=False)
    idle_after_s: Seconds = 10.0
    dead_letter_payload_bytes: int = Field(8192, ge=0, le=1_000_000)
    dead_letter_unmasked: bool = False
    config_poll_s: Seconds = 1.0
    #: ``event``: a replay; what is decided depends on event time alone, and no real receiver is ever told.
    clock: Literal["live", "event"] = "live"
    evaluate: Literal["here", "beside", "elsewhere"] = "here"
    evaluate_interval_s: Seconds = 0.5
    pagerduty_url: str = Field("https://events.pagerduty.com", min_length=1, description="a URL")
    slack_url: str = Field("https://slack.com/api/", min_length=1, description="a URL")
    #: Where messages say that the console is; empty: they carry no link.
    console_url: str = ""
    #: Where messages say that runbooks lie, one ``KIND.md`` a kind of finding: a URL, or a path, which is said and not linked.
    runbook_url: str = Field("docs/runbooks", max_length=500)
    #: A request that the incident owner before had begun may still arrive for so long; what it was about is sent again only then.
    in_doubt_s: Pause = 30.0
    #: No progress for so long, though there is something to read and nothing is away, ends the worker (71).
    stuck_after_s: Seconds = 120.0
    take_over_group: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        if self.session_timeout_s > self.request_timeout_s:
            raise PydanticCustomError(
                "disagree",
                "DRIFTLINE_SESSION_TIMEOUT_S is {session}, allowed: "
                "at most DRIFTLINE_REQUEST_TIMEOUT_S, which is {request}",
                {"session": self.session_timeout_s, "request": self.request_timeout_s},
            )
        return self

    @model_validator(mode="after")
    def _connect(self) -> Settings:
        passwords = bool(self.kafka_password.get_secret_value()) + bool(self.kafka_password_file)
        files = self.kafka_ca, self.kafka_cert, self.kafka_key
        at = RedisAt(self.redis, self.redis_password_file, self.redis_ca, self.redis_cert, self.redis_key)
        for said in (Kafka(self.kafka_protocol, self.kafka_user, passwords, *files), at):
            wrong = disagreement(said)
            if wrong:
                raise PydanticCustomError("disagree", "{wrong}", {"wrong": wrong})
        return self

    @property
    def names(self) -> Names:
        """Topics, group and keys of this environment."""
        return Names(self.environment)


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment; ``overrides`` (command-line options, tests) win.

    :raises ConfigError: naming each variable, what it holds and what is allowed.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigError(_problems(error)) from None


def strangers(environment: Iterable[str]) -> list[str]:
    """A line for each variable that looks like a setting and is none; it would be left out without a word.

    >>> strangers(["DRIFTLINE_KAFK", "DRIFTLINE_REDIS", "DRIFTLINE_TEST_KAFKA", "PATH"])
    ['DRIFTLINE_KAFK: no such setting, left out; did you mean DRIFTLINE_KAFKA?']
    """
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    found = [name for name in environment if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_")]
    return [f"{name}: no such setting, left out{_meant(name, known)}" for name in found if name not in known]


def _meant(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def masked(value: object) -> str:
    """A setting as text, without the password of a URL in it.

    >>> masked("redis://driftline:hunter2@cache:6379/0")
    'redis://driftline:***@cache:6379/0'
    """
    return re.sub(r"(://[^/@:]*):.*@", r"\1:***@", str(value))


def _problems(error: ValidationError) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        name = str(item["loc"][0]) if item["loc"] else ""
        key = PREFIX + name.upper() if name else ""
        yield Problem("environment", 0, key, _message(name, item))


def _message(name: str, item: ErrorDetails) -> str:
    if not name:
        return item["msg"]
    if name not in Settings.model_fields:
        return "is not a setting"
    allowed = Settings.model_fields[name].description or item["msg"].removeprefix("Input should be ")
    return f"is {masked(item['input'])!r}, allowed: {allowed}"
