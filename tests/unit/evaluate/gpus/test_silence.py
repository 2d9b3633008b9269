"""GPUs of which nothing is heard: a host once, a GPU of a host that goes on by itself, and none that was replaced."""

from __future__ import annotations

from schemas.gpus import Sample
from stream.evaluate.gpus.silence import Unheard, replaced, silence_verdicts
from stream.evaluate.verdicts.verdict import Verdict

MINUTE = 60_000
NOON = 1_357_034_400_000
AFTER = 5 * MINUTE


def unheard(place: str, minutes: float, uuid: str = "GPU-1") -> Unheard:
    host, gpu = place.split("/")
    quiet = int(minutes * MINUTE)
    return Unheard(Sample(timestamp=NOON - quiet, host=host, gpu=gpu, uuid=uuid), quiet)


def firing(*gpus: Unheard) -> list[tuple[str, float | None, int | None]]:
    said = silence_verdicts(gpus, after_ms=AFTER, at_ms=NOON)
    return [(one.subject, one.value, one.n) for one in said if isinstance(one, Verdict)]


def test_a_gpu_of_which_something_was_heard_in_time_is_not_silent() -> None:
    assert firing(unheard("n7/0", 5), unheard("n7/1", 0)) == []


def test_a_host_is_silent_once_whatever_the_number_of_its_gpus() -> None:
    assert firing(unheard("n7/0", 6), unheard("n7/1", 7), unheard("n8/0", 1)) == [("host:n7", 360.0, 2)]


def test_one_gpu_is_silent_where_its_host_goes_on() -> None:
    assert firing(unheard("n7/0", 6), unheard("n7/1", 1)) == [("gpu:n7/0", 360.0, 1)]


def test_a_gpu_of_a_silent_host_is_not_known_to_be_well() -> None:
    [host, gpu] = silence_verdicts([unheard("n7/0", 6)], after_ms=AFTER, at_ms=NOON)
    assert isinstance(host, Verdict)
    assert not isinstance(gpu, Verdict)
    assert gpu.whole(gpu.keys[0]).state == "no_data"


def test_a_silence_began_after_what_was_heard_last() -> None:
    host, _ = silence_verdicts([unheard("n7/0", 6)], after_ms=AFTER, at_ms=NOON)
    assert isinstance(host, Verdict)
    assert host.onset is not None
    assert (NOON - host.onset.lo, NOON - host.onset.hi) == (6 * MINUTE, 5 * MINUTE)
    assert (host.threshold, host.severity, host.rule) == (300.0, "P2", "gpu_silent")


def test_a_card_in_whose_place_another_one_is_heard_of_was_replaced() -> None:
    old, new, other = unheard("n7/0", 9, "GPU-1"), unheard("n7/0", 1, "GPU-2"), unheard("n7/1", 9, "GPU-3")
    assert replaced([old, new, other], after_ms=AFTER) == [old.newest]
    assert replaced([unheard("n7/0", 9, "GPU-1"), unheard("n7/0", 8, "GPU-2")], after_ms=AFTER) == []


def test_a_uuid_that_another_host_claims_silences_nothing_about_the_first() -> None:
    old, elsewhere = unheard("n7/0", 9, "GPU-1"), unheard("n8/0", 0, "GPU-1")
    assert replaced([old, elsewhere], after_ms=AFTER) == []
    assert firing(old, elsewhere) == [("host:n7", 540.0, 1)]
    assert (old.newest.name, elsewhere.newest.name) == ("n7/GPU-1", "n8/GPU-1")


def test_a_card_in_whose_place_another_one_is_heard_of_is_not_silent() -> None:
    assert firing(unheard("n7/0", 9, "GPU-1"), unheard("n7/0", 1, "GPU-2")) == []
    assert firing(unheard("n7/0", 9, "GPU-1"), unheard("n7/1", 1, "GPU-2")) == [("gpu:n7/0", 540.0, 1)]
