"""A Redis with users of few rights, and one that speaks TLS alone: a real worker counts exactly, and what is refused is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.settings import Settings
from stream.start import wait_for_services
from tests.support.acl import PASSWORD, made_user
from tests.support.certificates import Certificates, certificates
from tests.support.command import driftline
from tests.support.generated import assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, printed
from tests.support.redis import LocalRedis, SecuredRedis
from tests.support.worker import Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
EVENTS = generate(MODEL, 4_000, seed=2, features=2)


def assert_exact(deployment: Deployment) -> None:
    """Have a worker count what is sent, and compare all of it; nothing went wrong on the way."""
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    worker = deployment.start_worker()
    deployment.send(EVENTS.records())
    deployment.wait_until_stored()
    assert_counts(counts(deployment, MODEL), expected(EVENTS, REFERENCE))
    assert worker.stop() == 0
    assert [printed(worker, said) for said in ("does not answer", "refuses", "Traceback", "NOPERM")] == [0, 0, 0, 0]


def test_a_user_of_the_documented_rights_runs_a_worker(deployment: Deployment, own_redis: LocalRedis) -> None:
    made_user(own_redis.client())
    secret = deployment.folder / "redis-password"
    secret.write_text(f"{PASSWORD}\n")
    deployment.redis_url = f"redis://driftline@127.0.0.1:{own_redis.port}/0"
    deployment.more["DRIFTLINE_REDIS_PASSWORD_FILE"] = str(secret)
    assert_exact(deployment)
    refused = own_redis.client().acl_log()
    assert [(one["reason"], one["object"]) for one in refused] == []


@pytest.mark.parametrize(
    ("password", "rights", "said"),
    [
        ("wrong", "", "refuses this user (invalid username-password pair or user is disabled.); correct the user and"),
        (
            PASSWORD,
            "-hsetnx",
            "refuses this user (this user has no permissions to run the 'hsetnx' command); give it the",
        ),
        (PASSWORD, "resetkeys ~other:*", "give it the rights that docs/operations.md lists"),
    ],
)
def test_what_redis_refuses_ends_a_worker_and_a_command_at_once_with_a_line_of_its_own(
    own_redis: LocalRedis, tmp_path: Path, password: str, rights: str, said: str
) -> None:
    made_user(own_redis.client(), *rights.split())
    url = f"redis://driftline:{password.replace('/', '%2F')}@127.0.0.1:{own_redis.port}/0"
    deployment = Deployment("127.0.0.1:1", url, "", tmp_path)
    worker = deployment.start_worker()
    deployment.wait_until(lambda: not worker.alive, timeout_s=20)
    assert (worker.stop(), printed(worker, said), printed(worker, "does not answer")) == (2, 1, 0)
    assert printed(worker, password) + printed(worker, "Traceback") == 0
    if not rights:
        asked = driftline("status", env=deployment.variables)
        assert (asked.code, said in asked.err, password in asked.err) == (2, True, False)


def test_a_user_that_may_not_ask_info_is_let_in_and_the_policy_is_said_to_be_unknown(
    own_redis: LocalRedis, kafka_bootstrap: str, caplog: pytest.LogCaptureFixture
) -> None:
    made_user(own_redis.client(), "-info")
    url = f"redis://driftline:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{own_redis.port}/0"
    wait_for_services(Settings(kafka=kafka_bootstrap, redis=url), check=lambda redis: None)
    assert [one.partition(":")[0] for one in caplog.messages] == [
        "Redis does not say its maxmemory-policy, which must be noeviction"
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def encrypted(files: Certificates, tmp_path: Path) -> Iterator[SecuredRedis]:
    """A Redis that speaks TLS alone, and asks for a certificate."""
    redis = SecuredRedis(tmp_path / "encrypted", files, asks="yes")
    redis.start()
    yield redis
    redis.stop()


@pytest.mark.long
def test_a_worker_counts_over_tls_with_a_private_authority_and_a_certificate_of_its_own(
    deployment: Deployment, encrypted: SecuredRedis, files: Certificates
) -> None:
    deployment.redis_url = encrypted.url
    deployment.more |= {
        "DRIFTLINE_REDIS_CA": str(files.ca),
        "DRIFTLINE_REDIS_CERT": str(files.client_cert),
        "DRIFTLINE_REDIS_KEY": str(files.client_key),
    }
    assert_exact(deployment)


def test_a_certificate_that_is_not_trusted_is_said_and_not_waited_for(encrypted: SecuredRedis) -> None:
    said = (
        "shows a certificate that is not trusted (self-signed certificate in certificate chain); set DRIFTLINE_REDIS_CA"
    )
    asked = driftline("status", env={"DRIFTLINE_REDIS": encrypted.url})
    assert (asked.code, said in asked.err) == (2, True), asked
    with pytest.raises(ConfigError, match=re.escape(said)):
        wait_for_services(Settings(redis=encrypted.url), check=lambda _: None)


def test_a_file_that_is_not_there_is_said_by_its_setting() -> None:
    asked = driftline("status", env={"DRIFTLINE_REDIS": "rediss://127.0.0.1:1", "DRIFTLINE_REDIS_CA": "/no/ca.pem"})
    assert (asked.code, asked.err) == (
        2, "environment: DRIFTLINE_REDIS_CA: is '/no/ca.pem', which cannot be read: No such file or directory\n",
    )  # fmt: skip
