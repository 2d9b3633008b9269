"""The page of releases: both versions of each model side by side, and what was decided, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from stream.expose.console.render import SITE, rendered
from stream.state.generations import read as read_generation
from stream.state.releases import Decided, ReleaseView, read_decisions, read_releases

#: Decisions of a release that are shown.
MOST_DECISIONS = 10


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release and its newest decisions, oldest first."""

    view: ReleaseView
    decided: Decided


async def releases_page(request: web.Request) -> web.Response:
    """``/releases``: where each release stands."""
    site = request.app[SITE]
    generation = await read_generation(site.redis, site.names)
    rows = []
    for view in await read_releases(site.redis, site.names, generation):
        rows.append(ReleaseRow(view, await read_decisions(site.redis, site.names, view.model, most=MOST_DECISIONS)))
    return rendered(request, "releases.html", rows=rows)
