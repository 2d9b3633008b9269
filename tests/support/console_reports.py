"""Reports as evaluation leaves them in Redis: written by its own script, so that a console that reads them reads the real ones."""

from __future__ import annotations

from collections.abc import Iterable

from redis.asyncio import Redis

from schemas.names import Names
from schemas.reports import Report
from stream.evaluate.breath import Asking, Breath
from stream.evaluate.commit import Commits, Conclusion, Told
from stream.state.patience import Patience

DAY = 86_400_000


async def store_reports(redis: Redis, names: Names, found: Iterable[Report]) -> None:
    """Conclude reports of one model's predictions, the oldest first; each is the newest of its window."""
    told = [Told(report, report.window, newest=True) for report in found]
    conclusion = Conclusion(told[0].report.model, "predictions", "")
    for one in told:
        conclusion.report(one)
    commits = Commits(redis, names, keep_ms=400 * DAY, asking=Asking(Patience(), Breath()))
    assert await commits.store(conclusion, token=1) == "stored"
