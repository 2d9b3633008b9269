"""When a worker is ended: ticks of silence, of something that has ended, of nothing stored; and what excuses it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import pytest
from faust.types import TP

from stream.expose.liveness import Place, Sight, Watch, asks, seen, silent, told, verdict

ONE, TWO = TP("predictions", 0), TP("predictions", 1)
#: Five records are read and not stored, three are not read.
BEHIND = Sight({ONE: Place(position=12, read=12, stored=7)})
ENDS = {ONE: 15}


def after(watch: Watch, *, ticks: int, sight: Sight = BEHIND, ends: Mapping[TP, int] = ENDS) -> Watch:
    """So many ticks in which the worker said this, and Kafka that."""

    def tick(watch: Watch, _: int) -> Watch:
        watch = seen(watch, sight)
        return told(watch, sight, ends) if asks(watch) else watch

    return reduce(tick, range(ticks), watch)


def why(watch: Watch, sight: Sight = BEHIND) -> str:
    return verdict(watch, sight, patience_s=60.0)


def test_nothing_stored_with_something_to_read_ends_the_worker_when_its_patience_is_over() -> None:
    # One tick to see where it stands, five until Kafka is asked; from then on sixty.
    assert why(after(Watch(), ticks=65)) == ""
    said = "nothing was stored for 60 s with 8 records to read, though Redis and Kafka answer"
    assert why(after(Watch(), ticks=66)) == said


@pytest.mark.parametrize(
    ("sight", "ends"),
    [
        (BEHIND, {}),  # Kafka does not answer
        (BEHIND, {TWO: 900}),  # nor the leader of this partition
        (Sight(BEHIND.places, excused=True), ENDS),  # Redis does not, or nothing is in force
        (Sight({ONE: Place(position=15, read=15, stored=15)}), ENDS),  # nothing is left to read
        (Sight({ONE: Place(position=15, read=12, stored=12)}), ENDS),  # nor behind what ends a transaction
        (Sight(), ENDS),  # every partition is held back, or an assignment is under way
    ],
)
def test_what_a_restart_does_not_mend_never_ends_it(sight: Sight, ends: Mapping[TP, int]) -> None:
    assert why(after(Watch(), ticks=10_000, sight=sight, ends=ends), sight) == ""


def test_what_was_stored_or_excused_begins_the_count_anew() -> None:
    late = after(Watch(), ticks=65)
    moved = Sight({ONE: Place(position=12, read=12, stored=8)})
    for between in (moved, Sight(BEHIND.places, excused=True)):
        assert why(after(after(late, ticks=1, sight=between), ticks=64)) == ""
        assert why(after(after(late, ticks=1, sight=between), ticks=66)) != ""


def test_a_record_after_an_hour_of_nothing_has_the_whole_patience() -> None:
    nothing = Sight({ONE: Place(position=15, read=15, stored=15)})
    idle = after(Watch(), ticks=3600, sight=nothing)
    assert why(after(idle, ticks=60, sight=nothing, ends={ONE: 16}), nothing) == ""
    assert why(after(idle, ticks=66, sight=nothing, ends={ONE: 16}), nothing) != ""


def test_a_loop_that_answers_no_more_ends_it_and_one_that_was_slow_does_not() -> None:
    hung = reduce(lambda watch, _: silent(watch), range(59), after(Watch(), ticks=1))
    assert why(hung) == ""
    assert why(silent(hung)) == "the event loop has not answered for 60 s"
    assert why(silent(seen(hung, BEHIND))) == ""


def test_what_has_ended_under_it_has_five_seconds_to_end_the_worker_itself() -> None:
    ended = Sight(BEHIND.places, excused=True, ended="Faust has crashed")
    assert why(after(Watch(), ticks=4, sight=ended), ended) == ""
    assert why(after(Watch(), ticks=5, sight=ended), ended) == "Faust has crashed"
    assert why(after(after(Watch(), ticks=4, sight=ended), ticks=1), BEHIND) == ""
