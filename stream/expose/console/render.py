"""From a template and what it shows to an answer: escaping is on everywhere, and undefined names are errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aiohttp import web
from jinja2 import Environment
from redis.asyncio import Redis

from schemas.names import Names
from schemas.settings import Settings
from stream.expose.console import format, node
from stream.expose.console.escaped import escaped_templates


@dataclass(frozen=True, slots=True)
class Site:
    """What every page is made from: a Redis, the names in it, and the settings."""

    redis: Redis
    names: Names
    settings: Settings


SITE: web.AppKey[Site] = web.AppKey("site", Site)


def rendered(request: web.Request, template: str, *, status: int = 200, **shown: Any) -> web.Response:
    """A page as an answer."""
    site = request.app[SITE]
    text = templates().get_template(template).render(path=request.path, environment=site.names.environment, **shown)
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)


@cache
def templates() -> Environment:
    """The templates with their filters, compiled once."""
    made = escaped_templates("stream.expose.console")
    for filter_ in (
        *(format.named, format.number, format.share, format.p_value, format.moment, format.iso, format.ago),
        *(format.lasting, format.measured, node.tone, node.spoken, node.node_of),
        *(node.model_path, node.feature_path, node.incident_path),
    ):
        made.filters[filter_.__name__] = filter_
    return made
