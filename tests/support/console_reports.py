"""Reports as evaluation leaves them in Redis: written by its own script, so that a console that reads them reads the real ones."""

from __future__ import annotations

from collections.abc import Iterable

from redis.asyncio import Redis

from schemas.names import Names
from schemas.reports import Report
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.commit import Commits, Conclusion
from stream.evaluate.storing.post import Post
from stream.state.patience import Patience

DAY = 86_400_000


async def store_reports(redis: Redis, names: Names, found: Iterable[Report]) -> None:
    """Conclude reports of one stream of a model, the oldest first; each is the newest of its window."""
    reports = list(found)
    conclusion = Conclusion(reports[0].model, reports[0].stream, "")
    for report in reports:
        label = report.window if report.stream == "predictions" else f"{report.stream}:{report.window}"
        conclusion.report(report, label, newest=True)
    commits = Commits(redis, names, keep_ms=400 * DAY, asking=Asking(Patience(), Breath()), post=Post(redis))
    assert await commits.store(conclusion, token=1) == "stored"
