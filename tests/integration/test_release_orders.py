"""Orders of a release on a real Redis: from the incident owner's turn to the decision, once, whoever evaluates."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from schemas.actions import OrderRelease, ReleaseOrder, encode
from schemas.answers import decode
from schemas.names import Names
from stream.evaluate.releases.walk import Judging
from stream.state.orders import ORDERS, read_orders
from tests.support.command import driftline
from tests.support.incident_owner import running
from tests.support.released_live import Site, said, site


async def order(found: Site, what: ReleaseOrder, **changed: str) -> OrderRelease:
    """As the incident owner leaves it."""
    release = (await found.shown())["release"]
    made = OrderRelease(model="m", release=release, order=what, by="ann", at=77, comment="why")
    made = replace(made, **changed)
    await found.scene.redis.hset(found.scene.names.incidents(ORDERS), "m", encode(made))
    return made


async def answer(found: Site) -> tuple[bool, str]:
    told = decode((await found.shown())["answer"].encode())
    return told.done, told.said


def test_a_person_holds_resumes_and_rolls_back_between_two_windows(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with site(redis_url, environment_name) as found:
            evaluator = found.scene.evaluator()
            await found.routed(2, errors=0.01, evaluator=evaluator)
            held = await order(found, "hold")
            await found.evaluate(evaluator)
            assert said(found.told)[2:] == [(2, "hold", 0.10, ("held",))], "at once, not at the window's end"
            assert (await found.shown())["ordered"] == held.id
            await evaluator.leave()  # whoever goes on obeys it no second time
            evaluator = found.scene.evaluator("two")
            await found.routed(3, errors=0.01, evaluator=evaluator)
            assert (len(found.told), found.share) == (3, 0.10)
            await order(found, "resume", comment="seen")
            await found.evaluate(evaluator)
            await evaluator.leave()
            evaluator = found.scene.evaluator("three")
            assert (await order(found, "hold")).id == held.id, "what a producer sends a second time"
            await found.routed(1, errors=0.01, evaluator=evaluator)
            assert said(found.told)[3:] == [(5, "resume", 0.10, ("resumed",)), (6, "promote", 0.25, ("healthy",))]
            await order(found, "roll_back")
            await found.evaluate(evaluator)
            assert said(found.told)[5:] == [(6, "roll_back", 0.0, ("ordered",))]
            (finding,) = await found.findings()
            assert (finding.state, finding.evidence["why"]) == ("firing", "rolled back by ann: why")
            await order(found, "hold", comment="too late")
            await found.evaluate(evaluator)
            done, words = await answer(found)
            assert (done, "was rolled back before" in words, len(found.told)) == (False, True, 6)

    asyncio.run(story())


def test_an_order_that_was_taken_by_a_worker_that_ended_is_obeyed_by_the_next_and_one_of_another_release_is_not(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> str:
        raise OSError("killed")

    async def story() -> None:
        async with site(redis_url, environment_name) as found:
            evaluator = found.scene.evaluator()
            await found.routed(2, errors=0.01, evaluator=evaluator)
            await order(found, "roll_back", release="rel-0123456789")
            await found.evaluate(evaluator)
            assert await answer(found) == (False, "rel-0123456789 of model 'm' has ended; nothing was changed")
            await order(found, "roll_back")
            with monkeypatch.context() as patched:
                patched.setattr(Judging, "_store", lost)
                await found.evaluate(evaluator)
            assert len(found.told) == 2
            await evaluator.leave()
            await found.evaluate(found.scene.evaluator("two"))
            assert said(found.told)[2:] == [(2, "roll_back", 0.0, ("ordered",))]
            await found.scene.redis.hset(found.scene.names.incidents(ORDERS), "m", b"damaged")
            await found.evaluate(found.scene.evaluator("three"))
            assert len(found.told) == 3

    asyncio.run(story())


def test_the_incident_owner_passes_the_newest_order_of_each_model_on(redis_url: str, environment_name: str) -> None:
    names = Names(environment_name)
    held = OrderRelease(model="m", release="rel-1", order="hold", by="ann", at=1, comment="why")
    newest, another = replace(held, order="roll_back", at=2), replace(held, model="n")

    async def story() -> None:
        async with running(redis_url, names) as one, Redis.from_url(redis_url) as client:
            before = one.tenure.state
            one.feed(held, newest, another)
            while await client.hget(names.incidents("owner"), "next:actions") != b"3":
                await asyncio.sleep(0.01)
            assert one.tenure.state is before
            assert await read_orders(client, names) == {"m": newest, "n": another}
            stored: Any = await client.get(names.incidents("answer", "0:1"))
            told = decode(stored)
            assert told.said == "the order stands: whoever evaluates model 'm' obeys it at its next look"

    asyncio.run(asyncio.wait_for(story(), 5))


def test_an_order_of_nothing_is_refused_before_it_is_sent(redis_url: str, environment_name: str) -> None:
    async def begun() -> None:
        async with site(redis_url, environment_name):
            pass

    asyncio.run(begun())
    variables = {"DRIFTLINE_REDIS": redis_url, "DRIFTLINE_ENVIRONMENT": environment_name, "USER": "ann"}
    for arguments, code, words in (
        (("hold", "nobody", "--reason", "x"), 1, "model 'nobody' is not in force: `driftline release ls` lists"),
        (("roll-back", "m", "--reason", "x"), 1, "the release of model 'm' is waiting: there is nothing to order"),
        (("resume", "m", "--reason", " "), 2, "--reason must have 1 to 500 characters"),
        (("hold", "m"), 2, "Missing option '--reason'"),
        (("hold", "m", "--reason", "x" * 501), 2, "--reason must have 1 to 500 characters"),
        (("hold", "m", "--reason", "x", "--by", "x" * 201), 2, "--by must have 1 to 200 characters"),
        (("show", "\udcff"), 2, "'\\udcff' holds bytes that are no UTF-8: nothing is called so"),
    ):
        found = driftline("release", *arguments, env=variables)
        assert (found.code, words in " ".join(found.err.replace("│", " ").split())) == (code, True), found.err
