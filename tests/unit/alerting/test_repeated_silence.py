"""A page about a silence is kept by its own repeats, for the model's event time stands still meanwhile."""

from __future__ import annotations

from schemas.findings import Finding
from tests.unit.alerting.world import DAY, HOUR, T0, World, finding


def silence(world: World, *, revision: int) -> Finding:
    """It is said once more that nothing comes."""
    return finding(
        "a", T0, rev=(T0, revision), severity="P0", rule="no_traffic", kind="no_traffic", refresh_by=T0 + HOUR,
        seen=world.now,
    )  # fmt: skip


def pass_by(world: World, hours: int) -> set[str]:
    """Hours of the owner's clock alone; what receivers were told of the page in all."""
    world.reach(world.now + hours * HOUR, models=())
    world.send()
    return {str(call.kind) for call in world.vendors.calls} - {"update"}


def test_it_stays_open_while_it_is_said_and_is_given_up_once_nobody_does() -> None:
    world = World()
    for hour in range(3 * 24):
        world.give(silence(world, revision=hour), world.now)
        assert pass_by(world, 1) == {"open"}
    assert len(world.state.incidents) == 1
    # It was said an hour ago.  Three hours without another word are two that are missed; then a day has to pass.
    day = DAY // HOUR
    assert pass_by(world, 2 + day - 1) == {"open"}
    assert pass_by(world, 1) == {"open", "close"}
    assert {incident.reason for incident in world.state.incidents.values()} == {"expired"}
