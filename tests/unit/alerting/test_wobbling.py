"""What wobbles between two severities: told at once when worse, ever later when better, and always in one place."""

from __future__ import annotations

from alerting.document import view
from schemas.findings import Severity
from tests.unit.alerting.world import DAY, P1, P2, T0, World, finding

JUDGED_DAILY = {"refresh_by": DAY}


def judged(world: World, day: int, severity: Severity) -> None:
    """One day's verdict, and everybody is told what follows."""
    at = T0 + day * DAY
    world.give(finding("a", at, severity=severity, refresh_by=at + DAY), at)
    world.wait(60_000)
    world.send()


def severity(world: World) -> Severity:
    return view(world.state, world.incident()).severity


def lasted(world: World, *, start: int) -> int:
    """Days of P2 after which the incident is P2 too."""
    for day in range(1, 40):
        judged(world, start + day, "P2")
        if severity(world) == "P2":
            return day
    raise AssertionError("it never eases")


def test_each_time_it_gets_better_it_has_to_be_better_for_twice_as_long() -> None:
    world, day, found = World(), 0, []
    for _ in range(6):
        judged(world, day, "P1")
        assert severity(world) == "P1"
        found.append(lasted(world, start=day))
        day += found[-1] + 1

    assert found == [3, 5, 9, 17, 17, 17]  # 2, 4, 8 and at most 16 days after the first better verdict


def test_a_return_goes_on_in_the_message_that_is_there() -> None:
    world = World()
    judged(world, 0, "P1")
    lasted(world, start=0)
    judged(world, 4, "P1")

    assert world.vendors.kinds(P1.name)[:3] == ["open", "close", "open"]
    assert [root.address for root in world.vendors.roots] == [P1.name, P2.name]
    assert world.vendors.open_at(P1.name) == {f"{world.incident()}:2"}


def test_where_it_stands_survives_a_restart() -> None:
    world = World()
    judged(world, 0, "P1")
    lasted(world, start=0)
    world.restart()
    judged(world, 4, "P1")

    assert len([root for root in world.vendors.roots if root.address == P1.name]) == 1


def test_it_began_when_it_first_began() -> None:
    world = World()
    judged(world, 0, "P2")
    first = view(world.state, world.incident())
    world.give(finding("a", T0 + 3 * DAY, severity="P2", refresh_by=T0 + 4 * DAY), T0 + 3 * DAY)
    later = view(world.state, world.incident())

    assert (later.since_lo, later.since_hi) == (first.since_lo, first.since_hi) == (T0 - 600_000, T0)
