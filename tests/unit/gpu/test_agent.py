"""The agent against a machine that does everything wrong: each fault is a state, hurts no other GPU, and mends by itself."""

from __future__ import annotations

import threading

import pytest

from stream.gpu import agent as the_agent
from stream.gpu.agent import MOST_GPUS, RENEW_S, RETRY_S
from stream.gpu.library import QUESTIONS, Cause, Question
from stream.gpu.watched import ASK_AGAIN_S
from stream.gpu.xids import MOST_CODES
from tests.support.driven_gpu import SHORT_S, Watch, driven, until
from tests.support.gpu import GIB, FaultyNvml


def test_every_gpu_is_looked_at_every_period_and_each_sample_is_delivered() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        assert await watch.tick() == {"A": "ok", "B": "ok"}
        await watch.tick()
        assert sorted((one.uuid, one.gpu, one.timestamp_ms, one.host) for one in watch.heard) == [
            ("A", "0", 10_000, "node-7"), ("A", "0", 20_000, "node-7"),
            ("B", "1", 10_000, "node-7"), ("B", "1", 20_000, "node-7"),
        ]  # fmt: skip
        assert watch.agent.standing().taken == 4
        assert (watch.agent.state, watch.agent.says) == ("running", "driver 570.86.15, GPUs: 2")

    driven(story, "A", "B")


@pytest.mark.parametrize(
    ("cause", "state"),
    [("no_driver", "no_driver"), ("mismatch", "refused"), ("no_permission", "refused"), ("failed", "refused")],
)
def test_without_a_driver_it_runs_asks_seldom_and_begins_when_there_is_one(cause: Cause, state: str) -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.begin_fails = cause
        for _ in range(7):
            assert await watch.tick() == {}
        assert (watch.agent.state, nvml.asked["", "begin"]) == (state, 2), "at 10 s and at 70 s"
        nvml.begin_fails = None
        assert await watch.tick(RETRY_S) == {"A": "ok"}
        assert watch.agent.state == "running"

    driven(story, "A")


def test_no_gpu_at_all_is_a_state_and_one_that_is_added_is_found() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        assert watch.agent.state == "no_devices"
        nvml.uuids.append("A")
        await watch.tick()
        assert watch.agent.state == "no_devices"
        assert await watch.tick(RETRY_S) == {"A": "ok"}

    driven(story)


def test_a_call_that_hangs_costs_its_gpu_alone_and_one_thread_and_is_over_when_it_returns() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        held = nvml.hang("A", "power")
        assert await watch.tick() == {"A": "hanging", "B": "ok"}
        threads = threading.active_count()
        for _ in range(5):
            assert await watch.tick() == {"A": "hanging", "B": "ok"}
        assert threading.active_count() == threads
        assert nvml.asked["A", "power"] == 2, "the one before and the one that hangs"
        assert watch.newest("A").event()["metrics"] == {"available": 0, "xid_errors": 0}
        assert watch.newest("B").metrics["memory_used_bytes"] == 60 * GIB
        held.set()
        await until(lambda: nvml.inside["A"] == 0)
        assert await watch.tick() == {"A": "ok", "B": "ok"}

    driven(story, "A", "B", within_s=SHORT_S)


def test_a_look_that_takes_longer_than_the_period_delays_the_next_one_of_its_gpu() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        held = nvml.hang("A", "utilization")
        for at_ms in (1, 2, 3):
            await watch.agent.tick(now_s=0.0, at_ms=at_ms)
            await until(lambda at_ms=at_ms: nvml.inside["A"] == 1 and len(watch.heard) == at_ms)  # type: ignore[misc]
        held.set()
        await watch.agent.settled()
        assert nvml.asked["A", "utilization"] == 1
        assert [(one.uuid, one.timestamp_ms) for one in watch.heard] == [("B", 1), ("B", 2), ("B", 3), ("A", 1)]

    driven(story, "A", "B")


def test_a_gpu_that_hangs_from_the_first_moment_keeps_no_other_from_being_found() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        held = nvml.hang("A", "uuid_at")
        assert await watch.tick() == {"B": "ok"}
        assert await watch.tick() == {"B": "ok"}
        held.set()
        await until(lambda: nvml.inside["A"] == 0)
        assert await watch.tick() == {"A": "ok", "B": "ok"}

    driven(story, "A", "B", within_s=SHORT_S)


def test_a_beginning_that_hangs_is_a_state_and_over_when_it_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(the_agent, "BEGIN_WITHIN_S", SHORT_S)

    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        held = nvml.hang("", "begin")
        await watch.tick()
        assert watch.agent.state == "hanging"
        assert (await watch.tick(RETRY_S), nvml.asked["", "begin"]) == ({}, 1)
        held.set()
        await until(lambda: nvml.inside[""] == 0)
        assert await watch.tick(RETRY_S) == {"A": "ok"}

    driven(story, "A", within_s=SHORT_S)


def test_a_question_that_is_not_supported_or_not_allowed_is_asked_again_seldom() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("A", "memory_temperature"): "not_supported", ("A", "processes"): "no_permission"}
        for _ in range(5):
            assert await watch.tick() == {"A": "ok"}
        assert (nvml.asked["A", "memory_temperature"], nvml.asked["A", "processes"]) == (1, 1)
        assert watch.newest("A").unanswered == {"memory_temperature": "not_supported", "processes": "no_permission"}
        assert watch.agent.standing().unanswered == {"not_supported": 1, "no_permission": 1}
        nvml.fails = {}
        await watch.tick(ASK_AGAIN_S)
        assert watch.newest("A").unanswered == {}
        assert watch.newest("A").metrics["memory_temperature_celsius"] == 67

    driven(story, "A")


@pytest.mark.parametrize("cause", ["timeout", "failed"])
def test_what_fails_once_is_asked_again_at_the_next_look(cause: Cause) -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("A", "power"): cause}
        assert await watch.tick() == {"A": "ok"}
        assert "power_watts" not in watch.newest("A").metrics
        assert watch.newest("A").metrics["temperature_celsius"] == 58
        nvml.fails = {}
        await watch.tick()
        assert watch.newest("A").metrics["power_watts"] == 412.345

    driven(story, "A")


def test_a_gpu_that_answers_nothing_is_unreadable() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("A", question): "no_permission" for question in QUESTIONS}
        assert await watch.tick() == {"A": "unreadable"}
        assert watch.newest("A").available == 0

    driven(story, "A")


@pytest.mark.parametrize("where", ["utilization", "energy", "handle"])
def test_a_lost_gpu_is_lost_and_nvml_is_begun_anew_for_it_while_the_others_go_on(where: Question) -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("A", where): "lost"}
        assert await watch.tick() == {"A": "lost", "B": "ok"}
        assert await watch.tick() == {"A": "lost", "B": "ok"}
        assert (nvml.asked["", "begin"], nvml.asked["A", "handle"]) == (1, 2), "its handle is asked for anew"
        nvml.uuids.remove("A")  # after NVML is begun anew it is no longer there
        assert await watch.tick(RETRY_S) == {"A": "lost", "B": "ok"}
        assert (nvml.asked["", "begin"], nvml.asked["", "end"]) == (2, 1)
        assert {one.uuid: one.gpu for one in watch.agent.standing().samples} == {"B": "0", "A": "A"}
        nvml.uuids.insert(0, "A")
        nvml.fails = {}
        assert await watch.tick(RETRY_S) == {"A": "ok", "B": "ok"}
        assert [(one.gpu, one.uuid) for one in watch.agent.standing().samples] == [("0", "A"), ("1", "B")]

    driven(story, "A", "B")


def test_nvml_is_not_ended_while_a_call_is_out() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        held = nvml.hang("A", "power")
        nvml.fails = {("B", "power"): "lost"}
        for _ in range(10):
            assert await watch.tick() == {"A": "hanging", "B": "lost"}
        assert nvml.asked["", "end"] == 0
        held.set()
        nvml.fails = {}
        await until(lambda: nvml.inside["A"] == 0)
        assert await watch.tick() == {"A": "ok", "B": "ok"}
        assert nvml.asked["", "end"] == 1

    driven(story, "A", "B", within_s=SHORT_S)


def test_a_driver_that_goes_away_under_us_leaves_its_gpus_lost_and_comes_back() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        nvml.fails, nvml.begin_fails = {("A", "utilization"): "no_driver"}, "no_driver"
        assert await watch.tick() == {"A": "lost"}
        await watch.tick(RETRY_S)
        assert (watch.agent.state, watch.states) == ("no_driver", {"A": "lost"})
        nvml.fails, nvml.begin_fails = {}, None
        assert await watch.tick(RETRY_S) == {"A": "ok"}

    driven(story, "A")


def test_a_gpu_that_is_added_is_found_within_the_hour() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        nvml.uuids.append("B")
        assert await watch.tick(RENEW_S - 1) == {"A": "ok"}
        assert await watch.tick(1) == {"A": "ok", "B": "ok"}

    driven(story, "A")


def test_a_count_that_lies_and_two_gpus_of_one_name_are_bounded_and_counted() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.counts = 0xFFFFFFFF
        assert await watch.tick() == {"A": "ok"}
        assert watch.agent.standing().refused == {"too_many": 1, "inconsistent": 1, "blank": 1}
        assert nvml.asked["A", "uuid_at"] == 2
        assert sum(thread.name.startswith("nvml-gpu-") for thread in threading.enumerate()) <= MOST_GPUS + 100

    driven(story, "A", "A", "")


def test_critical_errors_are_counted_by_code_and_lies_are_refused() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        nvml.xids.extend([("A", 79), ("A", 31), ("A", 79), ("A", 2**63), ("A", 0)])
        await until(lambda: watch.agent.xids.refused["out_of_range"] == 2)
        await watch.tick()
        assert watch.agent.standing().xids == {"A": {79: 2, 31: 1}, "B": {}}
        assert (watch.newest("A").event()["metrics"]["xid"], watch.newest("B").xid) == (79, None)
        assert [watch.newest(uuid).event()["metrics"]["xid_errors"] for uuid in "AB"] == [3, 0]

    driven(story, "A", "B")


def test_codes_of_errors_are_counted_up_to_a_number_of_them() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        await watch.tick()
        nvml.xids.extend([("A", code) for code in range(1, MOST_CODES + 4)])
        await until(lambda: watch.agent.xids.refused["too_many"] == 3)
        assert len(watch.agent.xids.counted["A"]) == MOST_CODES

    driven(story, "A")


def test_where_errors_are_not_told_none_is_counted_and_all_else_goes_on() -> None:
    async def story(watch: Watch, nvml: FaultyNvml) -> None:
        nvml.fails = {("", "listen"): "not_supported"}
        assert await watch.tick() == {"A": "ok"}
        await watch.tick()
        assert watch.agent.standing().xids == {}

    driven(story, "A")
