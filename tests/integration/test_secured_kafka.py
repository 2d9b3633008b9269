"""A Kafka with users, TLS and an access list: a worker of the documented rights counts exactly, and what is refused is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from schemas.errors import ConfigError
from schemas.names import TOPICS_IN
from stream.start import wait_for_services
from tests.support.certificates import Certificates, certificates
from tests.support.command import driftline
from tests.support.generated import PANE_MS, START_MS, assert_counts, expected, generate, reference_of, write_monitors
from tests.support.kafka import BRIEF
from tests.support.observed import apply, counts, printed
from tests.support.secured_kafka import SecuredKafka, documented_rights
from tests.support.worker import PARTITIONS, Deployment

pytestmark = pytest.mark.long

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
EVENTS = generate(MODEL, 4_000, seed=2, features=2)
PASSWORD = "correct horse, battery"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured(files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    kafka = SecuredKafka(tmp_path_factory.mktemp("secured"), files, java=BRIEF)
    kafka.start()
    kafka.add_user("driftline", PASSWORD)
    kafka.add_user("producer", PASSWORD)
    yield kafka
    kafka.stop()


@pytest.fixture
def deployed(
    secured: SecuredKafka, files: Certificates, redis_url: str, environment_name: str, tmp_path: Path
) -> Iterator[Deployment]:
    """A deployment whose user has a password and no rights; its input topics are there."""
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    told = {"PROTOCOL": "SASL_SSL", "USER": "driftline", "PASSWORD_FILE": str(secret), "CA": str(files.ca)}
    made = Deployment(secured.secured, redis_url, environment_name, tmp_path)
    made.more |= {f"DRIFTLINE_KAFKA_{name}": value for name, value in told.items()}
    topics = [NewTopic(made.names.topic(name), PARTITIONS) for name in (*TOPICS_IN, "dead-letters")]
    for one in secured.admin.create_topics(topics).values():
        one.result()
    yield made
    made.stop()


def test_a_worker_of_the_documented_rights_counts_and_tells_over_scram_and_tls(
    deployed: Deployment, secured: SecuredKafka
) -> None:
    secured.allow("driftline", documented_rights(deployed.names))
    apply(deployed, write_monitors(deployed.folder, {MODEL: REFERENCE}))
    worker = deployed.start_worker()
    Deployment(secured.open, deployed.redis_url, deployed.environment, deployed.folder, sent=deployed.sent).send(
        [
            b"{",
            *EVENTS.records(),
            *[b'{"control": "watermark", "timestamp": %d}' % (START_MS + 40 * PANE_MS)] * PARTITIONS,
        ]
    )
    deployed.wait_until_stored()
    assert_counts(counts(deployed, MODEL), expected(EVENTS, REFERENCE))
    deployed.wait_until(lambda: all(_held(secured.admin, deployed, name) for name in ("findings", "dead-letters")))
    assert worker.stop() == 0
    assert [line for line in worker.log.read_text().splitlines() if "uthoriz" in line] == []
    assert [printed(worker, said) for said in ("Traceback", "group error", PASSWORD)] == [0, 0, 0]


def test_a_wrong_password_ends_a_worker_and_a_command_with_a_line(deployed: Deployment) -> None:
    said = "SASL authentication error: Authentication failed"
    deployed.more["DRIFTLINE_KAFKA_USER"] = "nobody"
    worker = deployed.start_worker()
    asked = driftline("lag", env=deployed.variables)
    assert (asked.code, said in asked.err, PASSWORD in asked.err) == (2, True, False)
    deployed.wait_until(lambda: not worker.alive, timeout_s=30)
    assert (worker.stop(), printed(worker, said), printed(worker, "does not answer")) == (2, 1, 0)
    assert (printed(worker, "correct DRIFTLINE_KAFKA_USER, DRIFTLINE_KAFKA_PASSWORD"), printed(worker, PASSWORD)) == (
        1,
        0,
    )


def test_a_certificate_that_is_not_trusted_is_said_and_not_waited_for(deployed: Deployment) -> None:
    deployed.more["DRIFTLINE_KAFKA_CA"] = ""
    with pytest.raises(ConfigError, match=r"refuses this client \(.*SSL handshake failed.* DRIFTLINE_KAFKA_CA"):
        wait_for_services(deployed.settings, check=lambda redis: None)


def _held(admin: AdminClient, deployment: Deployment, topic: str) -> bool:
    found = admin.list_topics(deployment.names.topic(topic), timeout=10).topics[deployment.names.topic(topic)]
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = {TopicPartition(deployment.names.topic(topic), number): latest for number in found.partitions}
    return any(one.result().offset > 0 for one in admin.list_offsets(asked).values())
