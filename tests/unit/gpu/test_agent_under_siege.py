"""Many GPUs of which one hangs for ever, slow ones, and NVML begun anew: the others are on time, and nothing grows."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from stream.gpu.agent import MOST_GPUS, RETRY_S
from stream.gpu.library import QUESTIONS
from tests.support.driven_gpu import SHORT_S, Watch, driven, until
from tests.support.gpu import FaultyNvml

ALL = [f"GPU-{number:02d}" for number in range(MOST_GPUS)]
HUNG, LOST = ALL[7], ALL[9]


def test_of_64_gpus_one_that_hangs_for_ever_delays_no_other_and_costs_one_thread_a_gpu() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        before = threading.active_count()
        nvml.fails = {(LOST, "power"): "lost"}  # so that NVML is due to be begun anew, which a call that is out forbids
        await watch.tick(20.0)
        nvml.hang(HUNG, "power")
        watch.agent._watched[HUNG]._within_s = 0.05
        for _ in range(4):
            await watch.tick(20.0)
        on_time = [20_000 * number for number in range(1, 6)]
        for uuid in ALL:
            assert [one.timestamp_ms for one in watch.heard if one.uuid == uuid] == on_time
        assert {one.uuid for one in watch.heard if one.state != "ok"} == {HUNG, LOST}
        assert [one.state for one in watch.heard if one.uuid == HUNG] == ["ok", *["hanging"] * 4]
        assert nvml.asked[HUNG, "power"] == 2
        assert threading.active_count() - before <= MOST_GPUS + 2, "one each, one for the rest and one for errors"

    driven(story, *ALL)


def test_nothing_grows_while_a_gpu_hangs() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        nvml.hang("A", "power")
        nvml.fails = {("B", "energy"): "failed", ("B", "ecc_corrected"): "not_supported"}
        held: list[int] = []
        for _ in range(3):
            for _ in range(20):
                await watch.tick(1.0)
                watch.heard.clear()
                watch.agent.xids.refused.clear()
            gc.collect()
            held.append(len(gc.get_objects()))
        assert abs(held[2] - held[1]) < 20, held

    driven(story, "A", "B", within_s=SHORT_S)


def test_gpus_whose_looks_take_longer_than_the_period_keep_no_lost_one_from_coming_back() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("B", "power"): "lost"}
        await watch.tick()
        nvml.fails = {}
        out: threading.Event | None = None
        looks = watch.agent._looks
        for slow in "ACACACACACAC":  # at each tick the look of one of the two is still out
            before, out = out, nvml.hang(slow, "utilization")
            watch.now_s += 10.0
            await watch.agent.tick(now_s=watch.now_s, at_ms=int(watch.now_s * 1000))
            await until(lambda slow=slow: slow not in looks or nvml.inside[slow] == 1)  # type: ignore[misc]
            if before is not None:
                before.set()
            await until(lambda slow=slow: all(looks[uuid].done() for uuid in looks if uuid != slow))  # type: ignore[misc]
        assert nvml.asked["", "begin"] == 2
        assert watch.newest("B").state == "ok"

    driven(story, "A", "B", "C")


def test_a_driver_that_does_not_tell_its_version_is_no_reason_to_refuse_its_gpus() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("", "driver"): "not_supported"}
        assert await watch.tick() == {"A": "ok"}
        assert (watch.agent.state, watch.agent.says, watch.agent.driver) == ("running", "driver unknown, GPUs: 1", "")
        assert watch.agent.standing().unanswered == {"not_supported": 1}

    driven(story, "A")


def test_a_driver_that_went_away_while_nvml_was_begun_is_none() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("", "driver"): "no_driver"}
        assert await watch.tick() == {}
        assert watch.agent.state == "no_driver"
        nvml.fails = {}
        assert await watch.tick(RETRY_S) == {"A": "ok"}

    driven(story, "A")


def test_a_gpu_of_which_every_call_fails_is_looked_for_anew_as_a_lost_one() -> None:
    """As after a reset by another program: the handle is void, and NVML only says that the argument is wrong."""

    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        nvml.fails = {("A", question): "failed" for question in QUESTIONS}
        assert await watch.tick() == {"A": "unreadable", "B": "ok"}
        nvml.fails = {}
        assert await watch.tick(RETRY_S) == {"A": "ok", "B": "ok"}
        assert (nvml.asked["", "begin"], nvml.asked["A", "handle"]) == (2, 2)

    driven(story, "A", "B")


def test_a_gpu_that_may_not_be_asked_anything_has_nvml_begun_anew_no_sooner() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("A", question): "no_permission" for question in QUESTIONS}
        for _ in range(3):
            assert await watch.tick(RETRY_S) == {"A": "unreadable"}
        assert nvml.asked["", "begin"] == 1

    driven(story, "A")


@pytest.mark.parametrize("what", ["listen", "next_xid"])
def test_a_call_about_errors_that_returned_late_leaves_no_set_of_events_open(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.gpu.xids.WAIT_WITHIN_S", 0.05)
    monkeypatch.setattr("stream.gpu.xids.WAIT_MS", 20)

    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        held = nvml.hang("", what)
        watch.agent.xids._pause_s = 0.01
        await watch.tick()
        await until(lambda: nvml.inside[""] == 1)
        nvml.fails = {("A", "power"): "lost"}
        await watch.tick(RETRY_S)
        await watch.tick(RETRY_S)
        assert nvml.asked["", "end"] == 0, "a call is out"
        held.set()
        nvml.fails = {}
        await until(lambda: nvml.inside[""] == 0)
        nvml.xids.append(("A", 13))
        await until(lambda: watch.agent.xids.told_of("A") == (13, 1))  # without NVML begun anew
        assert await watch.tick(RETRY_S) == {"A": "ok"}, "ending NVML found no set of events open"
        nvml.xids.append(("A", 79))
        await until(lambda: watch.agent.xids.told_of("A") == (79, 2))

    driven(story, "A", within_s=SHORT_S)


def test_errors_are_told_soon_where_the_first_call_for_them_took_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.gpu.xids.WAIT_WITHIN_S", 0.05)

    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        held = nvml.hang("", "listen")
        watch.agent.xids._pause_s = 0.01
        await watch.tick()
        await until(lambda: nvml.inside[""] == 1)
        await asyncio.sleep(0.1)
        held.set()
        nvml.xids.append(("A", 79))
        await until(lambda: watch.agent.xids.told_of("A") == (79, 1))
        assert nvml.listening == 1

    driven(story, "A", within_s=SHORT_S)
