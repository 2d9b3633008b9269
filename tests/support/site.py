"""A deployment of a test's own, driven by the commands: the model ``m`` and what a worker would have stored of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from schemas.names import Names
from stream.state.columns import layouts_of
from stream.state.layout import EVENTS
from stream.state.packing import empty, pack
from stream.state.store import Checkpoint, PaneKey, PaneStore
from tests.support.command import Ended, driftline
from tests.support.models import DAY, monitor, reference

JANUARY = 1_356_998_400_000
MONITORS = """\
schema: 1
defaults: {pane: 1h, windows: {day: 24h}, step: 24h, lateness: 0s}
models:
  m:
    reference: m.json
    prediction: {kind: binary, classes: [on_time, delayed], positive: delayed}
    features:
      temp: {type: numeric}
      gust: {type: numeric}
      carrier: {type: categorical}
      tail: {type: categorical, hash: true}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A deployment and a folder with a monitors file of the model ``m``."""

    env: Mapping[str, str]
    names: Names
    folder: Path

    def run(self, *arguments: str) -> Ended:
        return driftline(*arguments, env=self.env)

    def file(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content)
        return str(self.folder / name)

    def apply(self, **features: Any) -> Ended:
        (self.folder / "m.json").write_bytes(reference(**features).to_json())
        return self.run("apply", self.file("monitors.yaml", MONITORS))

    @property
    def redis(self) -> Redis:
        return Redis.from_url(self.env["DRIFTLINE_REDIS"])


def store_events(site: Site, *, at_ms: int, events: int) -> None:
    """Count events into one pane of partition 0, as a worker does."""

    async def stored() -> None:
        async with AsyncRedis.from_url(site.env["DRIFTLINE_REDIS"]) as redis:
            store = PaneStore(redis, site.names, keep_ms=DAY)
            epoch, _ = await store.take("predictions", 0, group="g", take_over=False, now_ms=5)
            await store.note_owner("predictions", 0, owner="host:1")
            await store.resume("predictions", 0, epoch=epoch, fields={"next": 0})
            layout = layouts_of("m", monitor(), reference(), digest=reference().hash)["predictions"]
            partial = empty(layout.cells, len(layout.numeric))
            partial.cells[EVENTS] = events
            pane = PaneKey("predictions", 0, 0, layout, at_ms), pack(partial)
            checkpoint = Checkpoint(
                "predictions", 0, epoch, 0, events, {"clock": at_ms}, {"rejected:not_json": 2}, [pane]
            )
            assert await store.checkpoint([checkpoint]) == ["stored"]

    asyncio.run(stored())
