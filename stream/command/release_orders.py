"""A person's order of a release: sent over the topic ``actions``, and the word of whoever evaluates the model waited for."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import typer
from redis.asyncio import Redis

from schemas.actions import LONGEST_NAME, LONGEST_REASON, OrderRelease, ReleaseOrder
from schemas.answers import Answer, decode
from schemas.errors import DriftlineError, Unavailable
from schemas.names import Names
from schemas.settings import Settings, load_settings
from stream.command.actions import POLL_S, act, now_ms, tell, user
from stream.command.connect import ANSWER_WITHIN_S, ask_redis
from stream.state.generations import read
from stream.state.releases import ReleaseView, read_releases


def give(model: str, order: ReleaseOrder, *, by: str | None, reason: str) -> None:
    """Send an order of the release that the model has now, and print what became of it.

    :raises DriftlineError: the model is not in force, or has no release.
    :raises Unavailable: nobody who evaluates the model has taken it in time; it stands.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise typer.BadParameter(f"--reason must have 1 to {LONGEST_REASON} characters")
    settings, who = load_settings(), user(by)
    if len(who) > LONGEST_NAME:
        raise typer.BadParameter(f"--by must have 1 to {LONGEST_NAME} characters")
    view = ask_redis(settings, lambda redis, names: _release_of(redis, names, model))
    made = OrderRelease(
        model=model, release=view.release, order=order, by=who, at=now_ms(settings), comment=reason.strip()
    )
    tell(_taken(settings, made))


async def _release_of(redis: Redis, names: Names, model: str) -> ReleaseView:
    """The release that stands now: it is the one that is meant, whatever stands when the order is taken."""
    force = await read(redis, names)
    if force is None or model not in force.models:
        raise DriftlineError(f"model {model!r} is not in force: `driftline release ls` lists the releases that are")
    view = next((one for one in await read_releases(redis, names, force) if one.model == model), None)
    if view is None:
        raise DriftlineError(f"model {model!r} has no release: `driftline release ls` lists those that have one")
    if not view.release:
        raise DriftlineError(f"the release of model {model!r} is {view.state}: there is nothing to order")
    return view


def _taken(settings: Settings, made: OrderRelease) -> Answer:
    passed = act(settings, made)
    if not passed.done:
        return passed
    answer = ask_redis(settings, lambda redis, names: _answered(redis, names, made))
    if answer is None:
        said = (
            f"nobody who evaluates it took it within {ANSWER_WITHIN_S:g} s: `driftline release show {made.model}` tells"
        )
        raise Unavailable(f"{passed.said}; {said}")
    return answer


async def _answered(redis: Redis, names: Names, made: OrderRelease) -> Answer | None:
    until = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < until:
        stored: Any = await redis.hmget(names.release(made.model), "ordered", "answer")
        if stored[0] == made.id.encode() and stored[1] is not None:
            return decode(stored[1])
        await asyncio.sleep(POLL_S)
    return None
