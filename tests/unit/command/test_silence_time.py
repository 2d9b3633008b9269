"""A silence begins and ends by the owner's clock: Redis' when it is live, the time of the events in a replay."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from schemas.actions import AddSilence
from schemas.answers import Answer
from schemas.incidents import SilenceView
from schemas.settings import Settings
from stream.command import actions, silence
from stream.state.incidents import read_silences

REDIS_S, REPLAYED, TWO_HOURS = 1_700_000_000, 1_357_000_000_000, 7_200_000


class OwnerRedis:
    """What the owner stored, and Redis' clock."""

    def __init__(self, clock: bytes | None, meta: bytes | None) -> None:
        self.stored = {"clock": clock, "meta": meta}

    async def hget(self, _key: str, field: str) -> bytes | None:
        return self.stored[field]

    async def time(self) -> tuple[int, int]:
        return REDIS_S, 0


def site(monkeypatch: pytest.MonkeyPatch, *, clock: bytes | None, meta: bool = True) -> list[AddSilence]:
    """The command in front of such a Redis; what it would produce."""
    stored = OwnerRedis(clock, msgspec.json.encode({"now": REPLAYED, "schema": 1}) if meta else None)
    produced: list[AddSilence] = []

    def asked(settings: Settings, work: Any) -> Any:
        if work is read_silences:
            return [SilenceView(id="s-1", matchers=(), starts=REPLAYED, ends=REPLAYED + 1, by="x")]
        return asyncio.run(work(stored, settings.names))

    def acted(_settings: Settings, action: AddSilence) -> Answer:
        produced.append(action)
        return Answer(True, "done")

    for module in (actions, silence):
        monkeypatch.setattr(module, "ask_redis", asked)
    monkeypatch.setattr(silence, "act", acted)
    return produced


def run(*arguments: str) -> str:
    ended = CliRunner().invoke(silence.app, arguments)
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.mark.parametrize(
    ("clock", "set_to", "starts"),
    [
        (b"event", "live", REPLAYED),
        (None, "event", REPLAYED),
        (b"live", "event", REDIS_S * 1000),
        (None, "live", REDIS_S * 1000),
    ],
)
def test_a_silence_starts_when_the_owner_says_that_it_is(
    monkeypatch: pytest.MonkeyPatch, clock: bytes | None, set_to: str, starts: int
) -> None:
    monkeypatch.setenv("DRIFTLINE_CLOCK", set_to)
    produced = site(monkeypatch, clock=clock)
    run("add", "model=m", "--for", "2h", "--by", "bob")
    assert [(one.starts, one.ends, one.at) for one in produced] == [(starts, starts + TWO_HOURS, starts)]


def test_before_a_replay_has_begun_there_is_only_redis_time(monkeypatch: pytest.MonkeyPatch) -> None:
    produced = site(monkeypatch, clock=b"event", meta=False)
    run("add", "model=m", "--for", "2h", "--by", "bob")
    assert produced[0].starts == REDIS_S * 1000


@pytest.mark.parametrize(("clock", "said"), [(b"event", "s-1"), (b"live", "no silences")])
def test_a_silence_is_listed_until_the_owner_s_time_has_passed_it(
    monkeypatch: pytest.MonkeyPatch, clock: bytes, said: str
) -> None:
    site(monkeypatch, clock=clock)
    assert said in run("ls")
