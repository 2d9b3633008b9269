"""The console as a web application: routes, headers that let nothing from elsewhere in, and pages for what goes wrong.

Every answer forbids scripts, styles and pictures that are not this console's own, and framing it.  A page that is not there,
a Redis that does not answer and a document that cannot be read each have a page of their own; a traceback goes to the log.
"""

from __future__ import annotations

import logging
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from redis.exceptions import RedisError

from schemas.errors import StoreError
from schemas.settings import masked
from stream.expose.console import pages
from stream.expose.console.gpus import gpus
from stream.expose.console.releases import releases_page
from stream.expose.console.render import SITE, Site, rendered

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def application(site: Site) -> web.Application:
    """All pages over one Redis."""
    app = web.Application(middlewares=[guarded])
    app[SITE] = site
    app.on_response_prepare.append(_add_headers)
    app.add_routes(
        [
            web.get("/", pages.overview_page),
            web.get("/models/{model:[^/]+}", pages.model),  # a name may hold braces, which {model} would refuse
            web.get("/models/{model:[^/]+}/features/{feature:[^/]+}", pages.feature),
            web.get("/incidents", pages.incidents),
            web.get("/incidents/{incident:[^/]+}", pages.incident),
            web.get("/gpus", gpus),
            web.get("/service-levels", pages.service_levels),
            web.get("/releases", releases_page),
            web.get("/health", pages.health),
            web.static("/static", STATIC),
        ]
    )
    return app


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's answer, or a page that says what went wrong and what to do."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status in (404, 405):
            return _problem(request, answer.status, "Not here", said=[answer.text or "There is no such page."])
        raise
    except (RedisError, OSError) as error:
        where = masked(request.app[SITE].settings.redis)
        said = [f"Redis at {where} does not answer: {error}", "Start it, or set DRIFTLINE_REDIS to where it is."]
        return _problem(request, 503, "Redis does not answer", said=said)
    except StoreError as error:
        return _problem(request, 500, "What is stored cannot be read", said=[str(error)])
    except Exception:
        log.exception("the page %s failed", request.path)
        said = ["This page failed; the console's log says where. The other pages still work."]
        return _problem(request, 500, "This page failed", said=said)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    cached = request.path.startswith("/static/")
    response.headers["Cache-Control"] = "no-cache" if cached else "no-store"


def _problem(request: web.Request, status: int, title: str, *, said: list[str]) -> web.Response:
    return rendered(request, "problem.html", status=status, title=title, said=said)
