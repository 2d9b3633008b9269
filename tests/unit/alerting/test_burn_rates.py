"""An outage and the burn rates that it causes: one page, which is over when the outage is; the notice stands apart."""

from __future__ import annotations

from typing import Any

from schemas.findings import Finding, finding_key
from tests.unit.alerting.world import HOUR, MINUTE, T0, World, edited, finding

ERRORS: dict[str, Any] = {"rule": "errors", "kind": "error", "memory": MINUTE}


def burn(world: World, window: str, **more: Any) -> Finding:
    """What a pair says now; the one of three days is about its budget, not about the model."""
    subject = "slo:a/errors" if window == "3d" else "model:a"
    found = finding(
        "a", world.now, rule="burn", kind="burn", severity="P3" if window == "3d" else "P1", window=window,
        onset=(world.now - HOUR, world.now), **more,
    )  # fmt: skip
    return edited(found, subject=subject, key=finding_key("burn", subject, segment="errors", window=window))


def opened(world: World) -> list[str]:
    """Where something was opened."""
    return sorted(call.address for call in world.vendors.calls if call.kind == "open")


def test_an_outage_is_one_page_and_the_notice_keeps_it_not_open() -> None:
    world = World()
    world.fire("a", severity="P0", **ERRORS)
    world.send()
    outage = world.incident()
    for minute in range(10):
        world.wait(MINUTE)
        world.fire("a", severity="P0", **ERRORS)
        world.give(burn(world, "3d"))
        if minute >= 5:
            world.give(burn(world, "1h"))
            world.give(burn(world, "6h"))
        world.send()
    notice = world.incident_of("a")
    assert notice != outage
    assert world.state.incidents[outage].severity == "P0"
    assert world.state.incidents[notice].severity == "P3"
    # Each address once: whom P0 is routed to, and at its P1 member whom P1 is.
    assert opened(world) == ["pagerduty:key", "slack:#p0", "slack:#p1"]

    world.wait(MINUTE)
    world.clear("a", severity="P0", **ERRORS)
    for window in ("1h", "6h"):
        world.give(burn(world, window, state="ok"))
    for _ in range(60):
        world.wait(MINUTE)
        world.give(burn(world, "3d"))
        world.send()
    assert (world.state.incidents[outage].state, world.state.incidents[outage].reason) == ("ended", "recovered")
    assert world.state.incidents[notice].state == "open"
    assert world.now < T0 + 2 * HOUR


def test_a_fast_burn_by_itself_is_a_page() -> None:
    world = World()
    world.give(burn(world, "6h"))
    world.give(burn(world, "1h"))
    world.wait(MINUTE)
    world.send()
    assert world.state.incidents[world.incident()].severity == "P1"
    assert opened(world) == ["slack:#p1"]
