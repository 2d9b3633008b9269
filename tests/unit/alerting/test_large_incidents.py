"""An incident of any size has a document that fits a record of Kafka: the worst findings, and how many more there are."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from alerting.document import SHOWN, view
from alerting.members import Members
from schemas.incidents import encode
from stream.command.incident import _row
from tests.unit.alerting.world import HOUR, T0, World, finding

MEGABYTE = 1_000_000
SIZE = 3_000


def large(size: int) -> World:
    """One incident of so many findings with long names, every third clear and the last one the worst."""
    world = World()
    world.fire("a/w0", severity="P2", onset=(T0 - HOUR, T0))
    incident = world.state.incidents[world.incident()]
    [first] = incident.members.values()
    evidence: dict[str, float | int | str | None] = {"convention": "deciles of the reference, +0.5", "mean": 1.23456789}
    members = {}
    for number in range(size):
        found = finding(f"a/w{number:04}{'x' * 60}", T0, severity="P1" if number == size - 1 else "P2")
        found = msgspec.structs.replace(found, evidence=evidence)
        member = replace(first, finding=found, severity=found.severity)
        members[found.key] = replace(member, state="clear", severity=None) if number % 3 == 0 else member
    world.state = replace(world.state, incidents={incident.id: replace(incident, members=Members.of(members))})
    return world


def test_a_document_lists_the_worst_and_counts_the_rest() -> None:
    world = large(SIZE)
    document = view(world.state, world.incident())
    assert (len(document.members), document.more_members) == (SHOWN, SIZE - SHOWN)
    assert document.members[0].severity == "P1"
    assert {member.state for member in document.members} == {"firing"}
    assert document.more_firing == 2 * SIZE // 3 - SHOWN
    assert len(encode(document)) < MEGABYTE / 4
    assert _row(document)[4] == "2000 of 3000"


@pytest.mark.parametrize(("size", "more"), [(1, 0), (SHOWN, 0), (SHOWN + 1, 1)])
def test_nothing_is_left_out_of_a_small_one(size: int, more: int) -> None:
    document = view(large(size).state, large(size).incident())
    assert (len(document.members), document.more_members) == (size - more, more)
