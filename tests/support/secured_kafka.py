"""A real Kafka that lets nobody in without a password and TLS, and lets them do only what an access list says.

Tests are let in by another door, where everything is allowed: it is where users and their rights are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from schemas.names import Names
from tests.support.certificates import Certificates
from tests.support.kafka import LocalKafka
from tests.support.process import free_port

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

SECURED = """
listeners=PLAINTEXT://127.0.0.1:{open},SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{open},SASL_SSL://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram}
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={scram}
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecuredKafka(LocalKafka):
    """``bootstrap`` is the door with a password, ``open`` the other one."""

    def __init__(self, folder: Path, files: Certificates, *, java: Sequence[str] = ()) -> None:
        super().__init__(folder, java=java)
        keystore = folder / "keystore.pem"
        keystore.write_text(files.key.read_text() + files.cert.read_text())
        self.secured, self.open = f"127.0.0.1:{free_port()}", self.bootstrap
        more = SECURED.format(
            open=self.port, port=self.secured.rpartition(":")[2], controller=self.controller, scram=_SCRAM,
            keystore=keystore, ca=files.ca,
        )  # fmt: skip
        self.add(more)

    @cached_property
    def admin(self) -> AdminClient:
        """A client of the open door."""
        return AdminClient({"bootstrap.servers": self.open, "log_level": 0})

    def add_user(self, user: str, password: str) -> None:
        """Make a user; he may do nothing yet."""
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        made = self.admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(user, how, password=password.encode())]
        )
        for one in made.values():
            one.result()

    def allow(self, user: str, rights: Iterable[tuple[str, str, str]]) -> None:
        """Let a user do things: kind of resource, its name, operation."""
        bindings = [
            AclBinding(
                ResourceType[kind.upper()], name, ResourcePatternType.LITERAL, f"User:{user}", "*",
                AclOperation[operation], AclPermissionType.ALLOW,
            )
            for kind, name, operation in rights
        ]  # fmt: skip
        for one in self.admin.create_acls(bindings).values():
            one.result()


def documented_rights(names: Names) -> list[tuple[str, str, str]]:
    """The rights of docs/operations.md, for an environment's names."""
    rows = re.findall(r"^\| (group|topic) (`.+`) \| (`.+`) \|$", OPERATIONS.read_text(), re.MULTILINE)

    def named(kind: str, name: str) -> str:
        """A group of commands is the same in every environment."""
        return names.topic(name) if kind == "topic" else names.group if name == "driftline" else name

    return [
        (kind, named(kind, name), operation)
        for kind, resources, operations in rows
        for name in re.findall("`([^`]+)`", resources)
        for operation in re.findall("`([^`]+)`", operations)
    ]
