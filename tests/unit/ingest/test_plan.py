"""What is worked out where a plan is built, beside the event loop, and never by the first events that it counts."""

from __future__ import annotations

from schemas.config import InForce
from tests.support.arms import RELEASE
from tests.support.ingest import NEW, NOON, OLD, applied, monitor


def test_the_hash_of_every_layout_is_there_when_a_plan_is() -> None:
    """On the loop the hashes of a thousand models held it for .8 s (seen), in the first drain after a switch."""
    force = InForce(
        reference=NEW,
        monitor=monitor(release=RELEASE),
        from_ms=NOON,
        previous=(OLD, monitor()),
    )
    plan = applied(trees=force)["predictions"]
    assert plan.arms is not None
    layouts = (*plan.tables.layouts, *plan.arms.found.layouts)
    assert len(layouts) == 3  # two of drift, one of the versions
    assert all("hash" in vars(layout) for layout in layouts)
