"""Rules on samples of a GPU, with exact numbers: where each begins to fire, where it does not, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from schemas.gpus import Sample
from schemas.monitored import GpuMonitor
from stream.evaluate.gpus.minutes import minutes_of
from stream.evaluate.gpus.rules import RULES, gpu_verdicts
from stream.evaluate.verdicts.verdict import Clear, Verdict

MINUTE = 60_000
NOON = 1_357_034_400_000
LIMITS = GpuMonitor()


def samples(*metrics: dict[str, float], gap: int = MINUTE) -> list[Sample]:
    """Samples half a minute into each minute before noon, the last one the newest."""
    first = NOON - len(metrics) * gap + MINUTE // 2
    return [
        Sample(timestamp=first + at * gap, host="n7", gpu="0", uuid="GPU-1", metrics=found)
        for at, found in enumerate(metrics)
    ]


def judged(found: Sequence[Sample], *, at: int = NOON, limits: GpuMonitor = LIMITS) -> dict[str, Verdict]:
    """By rule; those that do not fire as somebody would be told who was told that they did."""
    said = [one.whole(one.keys[0]) if isinstance(one, Clear) else one for one in gpu_verdicts(found, limits, at_ms=at)]
    return {verdict.rule: verdict for verdict in said}


def memory(*shares: float) -> list[Sample]:
    return samples(*({"memory_used_bytes": share * 80e9, "memory_total_bytes": 80e9} for share in shares))


@pytest.mark.parametrize(
    ("shares", "state"),
    [
        ([0.95] * 5, "firing"),
        ([0.95, 0.95, 0.9499, 0.95, 0.95], "ok"),
        ([0.5, 0.96, 0.96, 0.96, 0.96, 0.96], "firing"),
        ([0.96, 0.96], "no_data"),
        ([0.96, 0.96, 0.96], "firing"),
    ],
)
def test_memory_is_nearly_full_where_every_sample_of_five_minutes_says_so(shares: list[float], state: str) -> None:
    assert judged(memory(*shares))["gpu_memory"].state == state


def test_memory_says_since_when() -> None:
    verdict = judged(memory(0.5, 0.6, 0.96, 0.97, 0.96, 0.96, 0.96, 0.98))["gpu_memory"]
    assert (verdict.value, verdict.threshold, verdict.n, verdict.severity) == (0.98, 0.95, 5, "P2")
    assert verdict.onset is not None
    assert ((NOON - verdict.onset.lo) / MINUTE, (NOON - verdict.onset.hi) / MINUTE) == (6.5, 5.5)
    assert (verdict.key, verdict.memory, verdict.every) == ("gpu_memory|gpu:n7/0|GPU-1|", MINUTE, MINUTE)


def test_a_file_says_how_full_and_how_hot() -> None:
    limits = GpuMonitor(memory=0.5, temperature=60)
    assert judged(memory(0.5, 0.5, 0.5), limits=limits)["gpu_memory"].state == "firing"
    found = judged(samples({"temperature_celsius": 60}), limits=limits)["gpu_temperature"]
    assert (found.state, found.value, found.threshold) == ("firing", 60, 60)


@pytest.mark.parametrize(("degrees", "state"), [(89.9, "ok"), (90, "firing")])
def test_the_newest_sample_says_how_hot(degrees: float, state: str) -> None:
    found = judged(samples({"temperature_celsius": 99}, {"temperature_celsius": degrees}))["gpu_temperature"]
    assert (found.state, found.severity) == (state, "P2")


def test_heat_says_since_when() -> None:
    verdict = judged(samples(*({"temperature_celsius": degrees} for degrees in (95.0, 89.0, 92.0, 93.0))))[
        "gpu_temperature"
    ]
    assert verdict.onset is not None
    assert ((NOON - verdict.onset.lo) / MINUTE, (NOON - verdict.onset.hi) / MINUTE) == (2.5, 1.5)


@pytest.mark.parametrize(
    ("mask", "state", "cause"),
    [
        (0x1 | 0x2 | 0x4 | 0x10 | 0x100, "ok", None),  # idle, application clocks, power cap, sync boost, display clocks
        (0x20, "firing", "software thermal slowdown"),
        (0x48, "firing", "hardware slowdown, hardware thermal slowdown"),
        (0x80, "firing", "hardware power brake"),
    ],
)
def test_throttling_is_trouble_where_it_is_heat_or_the_power_brake(mask: int, state: str, cause: str | None) -> None:
    found = judged(samples({"throttle_reasons": mask}))["gpu_throttled"]
    assert (found.state, found.severity, found.evidence.get("cause")) == (state, "P3", cause)


@pytest.mark.parametrize(("available", "state"), [(0.0, "firing"), (1.0, "ok"), (None, "no_data")])
def test_a_gpu_that_is_not_available_is_lost(available: float | None, state: str) -> None:
    found = judged(samples({} if available is None else {"available": available}))["gpu_lost"]
    assert (found.state, found.severity) == (state, "P1")


def test_what_was_not_measured_is_not_judged() -> None:
    found = judged(samples({"power_watts": 71.5}))
    assert {rule: found[rule].state for rule in RULES} == {
        "gpu_memory": "no_data", "gpu_temperature": "no_data", "gpu_throttled": "no_data", "gpu_lost": "no_data",
        "gpu_ecc": "no_data", "gpu_xid": "ok",
    }  # fmt: skip


def test_nothing_of_a_silent_gpu_is_judged() -> None:
    hot = samples({"temperature_celsius": 99})
    assert judged(hot, at=NOON + 4 * MINUTE + 30_000)["gpu_temperature"].state == "firing"
    assert judged(hot, at=NOON + 4 * MINUTE + 30_001)["gpu_temperature"].state == "no_data"


@pytest.mark.parametrize(
    ("counts", "errors"),
    [
        ([3, 3, 3], None),  # what it began with is old
        ([3, 4, 4], 1),
        ([3, 4, 6], 3),
        ([3, 0, 0], None),  # the driver was loaded anew
        ([3, 0, 2], 2),
        ([3, 2, 2], 2),  # anew, and two since
    ],
)
def test_an_uncorrectable_error_is_told_where_the_count_rose(counts: list[float], errors: float | None) -> None:
    found = judged(samples(*({"ecc_uncorrected": count} for count in counts)))["gpu_ecc"]
    assert (found.state, found.value) == (("ok", None) if errors is None else ("firing", errors))
    assert found.severity == "P1"


def test_an_error_is_told_for_an_hour_after_it_appeared() -> None:
    found = samples({"ecc_uncorrected": 0}, {"ecc_uncorrected": 1}, *[{"ecc_uncorrected": 1.0}] * 90)
    ends = [NOON - minutes * MINUTE for minutes in (91, 90, 32, 31, 30, 29, 0)]
    said = [
        [one.rule for one in verdicts if isinstance(one, Verdict)] for _, verdicts, _ in minutes_of(found, ends, LIMITS)
    ]
    assert said == [[], ["gpu_ecc"], ["gpu_ecc"], ["gpu_ecc"], [], [], []]


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([None, None], ("ok", None, "P3")),
        ([None, 79], ("firing", 79, "P1")),
        ([31, 31], ("firing", 31, "P2")),  # the first that is seen: the agent was there when it appeared
        ([None, 13], ("firing", 13, "P3")),
        ([13, 79, 31], ("firing", 79, "P1")),  # the gravest of those that appeared
        ([31, 74, 13], ("firing", 74, "P2")),  # of equally grave ones the newest
        ([31, None, 31], ("firing", 31, "P2")),
    ],
)
def test_an_xid_is_as_grave_as_its_code(codes: list[int | None], said: Any) -> None:
    found = judged(samples(*({} if code is None else {"xid": float(code)} for code in codes)))["gpu_xid"]
    assert (found.state, found.value, found.severity) == said


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([(None, 0), (None, 0)], ("ok", None, None)),
        ([(None, 0), (13, 1)], ("firing", 13, 1)),
        ([(None, 0), (13, 1), (13, 3)], ("firing", 13, 3)),  # the same code twice more
        ([(13, 4), (13, 4)], ("firing", 13, 1)),  # the first that is seen is new, however many there were
        ([(None, 0), (13, 1), (None, 0), (13, 1)], ("firing", 13, 2)),  # another agent
        (
            [(None, 0), (79, 1), (13, 3)],
            ("firing", 79, 3),
        ),  # of what came between two samples only the last code is told
        ([(None, None), (13, None), (13, 2)], ("firing", 13, 1)),  # where the count was not told, another code is new
    ],
)
def test_a_code_that_came_again_is_known_by_the_count(told: list[tuple[int | None, int | None]], said: Any) -> None:
    named = [{"xid": code, "xid_errors": count} for code, count in told]
    found = judged(samples(*({key: float(one) for key, one in each.items() if one is not None} for each in named)))
    assert (found["gpu_xid"].state, found["gpu_xid"].value, found["gpu_xid"].n) == said


def test_a_code_that_comes_again_is_told_for_another_hour_and_says_when_it_came() -> None:
    found = samples(
        {"xid_errors": 0}, *[{"xid": 31.0, "xid_errors": 1.0}] * 70, *[{"xid": 31.0, "xid_errors": 2.0}] * 30
    )
    said = {
        (NOON - end) // MINUTE: [one for one in verdicts if isinstance(one, Verdict)]
        for end, verdicts, _ in minutes_of(found, range(NOON - 100 * MINUTE, NOON + 1, MINUTE), LIMITS)
    }
    assert [minutes for minutes, fired in said.items() if fired] == [*range(99, 39, -1), *range(29, -1, -1)]
    [again] = said[29]
    assert again.onset is not None
    assert ((NOON - again.onset.lo) / MINUTE, (NOON - again.onset.hi) / MINUTE) == (30.5, 29.5)


def test_an_xid_that_stays_is_told_for_an_hour() -> None:
    found = samples({}, *[{"xid": 79.0}] * 90)
    states = {
        (NOON - end) // MINUTE: [one.rule for one in verdicts if isinstance(one, Verdict)]
        for end, verdicts, _ in minutes_of(found, range(NOON - 90 * MINUTE, NOON + 1, MINUTE), LIMITS)
    }
    assert [minutes for minutes, rules in states.items() if rules == ["gpu_xid"]] == list(range(89, 29, -1))


def test_an_xid_says_what_it_means_and_when_it_appeared() -> None:
    found = judged(samples({}, {}, {"xid": 79.0}, {"xid": 79.0}))["gpu_xid"]
    assert found.evidence == {"cause": "Xid 79: the GPU has fallen off the bus"}
    assert found.onset is not None
    assert (NOON - found.onset.lo, NOON - found.onset.hi) == (2.5 * MINUTE, 1.5 * MINUTE)
