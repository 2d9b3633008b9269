"""What a decision leaves for the next window, and up to where the streams of a release are closed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from schemas.releases import Reason
from stream.evaluate.releases.state import NO_LOOK, Both, Totals, decided
from stream.evaluate.releases.unit import Release
from stream.evaluate.releases.window import Sums
from tests.support.released import HOUR, running
from tests.support.released_dry import Dry

LOOKS = (0.5, 0.4, 0.3)
SEEN = Both(Totals(success=Sums(9, 9.0, 9.0)))
HEALTHY, DOUBTFUL = Reason("healthy", "every rule is kept"), Reason("doubtful", "errors")


def test_what_was_looked_at_is_kept_while_the_share_holds_and_begins_anew_with_the_next() -> None:
    state = replace(running(), looks=LOOKS, since_share=SEEN)
    held, _ = decided(state, "hold", state.share, at_ms=HOUR, reasons=(DOUBTFUL,))
    assert (held.looks, held.since_share, held.since) == (LOOKS, SEEN, 0)
    further, _ = decided(state, "promote", 0.10, at_ms=HOUR, reasons=(HEALTHY,))
    assert (further.looks, further.since_share, further.since) == (NO_LOOK, Both(), HOUR)


def test_it_says_what_holds_it_only_while_it_is_held_and_why_only_once_it_is_over() -> None:
    held, _ = decided(running(), "hold", 0.05, at_ms=HOUR, reasons=(DOUBTFUL,))
    assert (held.told, held.why) == (("doubtful",), "")
    further, _ = decided(held, "promote", 0.10, at_ms=HOUR, reasons=(HEALTHY,))
    assert (further.told, further.why) == ((), "")
    back, _ = decided(held, "roll_back", 0.0, at_ms=HOUR, reasons=(DOUBTFUL, HEALTHY))
    assert (back.told, back.why) == ((), "errors; every rule is kept")


def test_a_release_of_two_streams_is_closed_up_to_the_one_that_is_behind() -> None:
    units: Any = {
        "predictions": SimpleNamespace(model="m", stored=5 * HOUR),
        "serving": SimpleNamespace(stored=2 * HOUR),
    }
    phases: Any = [SimpleNamespace(streams=("serving", "predictions"), until_ms=None)]
    assert Release(units, phases).closed == 2 * HOUR
    units["serving"].stored = None
    assert Release(units, phases).closed == 0, "one that never was closed waits"


def test_an_order_that_was_taken_is_known_again_with_others_in_between() -> None:
    units: Any = {"predictions": SimpleNamespace(model="m")}
    release = Release(units, [])
    release.restore([b"7", b"1", None, None, b"one two"])
    for taken, known in ((("one", "two"), False), ((), True)):
        release.ordered = taken
        release.order = SimpleNamespace(id="one")  # type: ignore[assignment]
        assert release.is_ordered is known
    release.restore([b"7", b"1", None, None, b"one two"])
    assert (release.ordered, release.fields()["ordered"]) == (("one", "two"), "one two")


def test_another_file_has_it_looked_at_again_and_the_one_that_it_was_looked_at_by_does_not() -> None:
    found = Dry().release
    found.restore([b"7", b"7", None, None, None])
    found.units["predictions"].stored = 8
    assert (found.generation, found.is_due) == ("7", False)
    found.judged_by = "6"
    assert found.is_due
