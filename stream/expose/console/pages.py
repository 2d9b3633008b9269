"""The pages: each asks Redis for what it needs, has it put in order by its own module, and renders it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn, cast

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.config import Generation, InForce
from schemas.errors import ConfigError, StoreError
from schemas.names import Names, Stream
from schemas.reports import Report
from stream.evaluate.panes.touched import SKEW
from stream.expose.console import read
from stream.expose.console.feature_page import Picture, feature_page
from stream.expose.console.features import places_of, read_features
from stream.expose.console.format import named
from stream.expose.console.histogram import histogram
from stream.expose.console.incident_page import MOST_ROWS, ended_rows, incident_page, open_rows
from stream.expose.console.levels import levels_page
from stream.expose.console.measured import FIRST, LABELS
from stream.expose.console.model_page import Place, model_page
from stream.expose.console.overview import overview, windows_of
from stream.expose.console.render import SITE, Site, rendered
from stream.expose.services import read_services
from stream.state.generations import read as read_generation
from stream.state.generations import read_reference
from stream.state.incidents import read_silences, read_timeline
from stream.state.reading import read_counts

#: Models whose lines are drawn on the first page; with more of them it would read too much.
MOST_SPARKS = 24
SPARK_JUDGEMENTS = 60
#: Models whose versions are looked up, which costs a question each.
MOST_TOTALS = 100
#: Whose windows are shown where there are reports of them.
UPSTREAM = ("features", SKEW)


async def overview_page(request: web.Request) -> web.Response:
    """``/``: what is open, how each model is, how far everything has come."""
    site, found = request.app[SITE], read.Found()
    standing = await read.read_standing(site.redis, site.names)
    models = standing.generation.models if standing.generation else {}
    places = [(name, window) for name, force in models.items() for window, _ in windows_of(force.monitor)]
    await read.read_reports(site.redis, site.names, places, found=found)
    await read.read_incidents(site.redis, site.names, found=found)
    histories = await _first_histories(site, models, found=found)
    shown = overview(standing, found, histories)
    return rendered(request, "overview.html", page=shown, unreadable=found.unreadable)


async def model(request: web.Request) -> web.Response:
    """``/models/<model>?window=&measure=``: one model."""
    site, found = request.app[SITE], read.Found()
    name, force = await _model_in_force(request)
    place = await _place(request, name, force, found=found)
    history = await read.read_history(site.redis, site.names, (name, place.window), found=found)
    await read.read_incidents(site.redis, site.names, found=found)
    shown = model_page(
        place,
        force,
        report=found.reports.get((name, place.window)),
        history=history,
        incidents=found.incidents,
        totals=await read.read_totals(site.redis, site.names, name),
        health=await read_features(site.redis, site.names, name, force=force, found=found),
    )
    return rendered(request, "model.html", page=shown, unreadable=found.unreadable)


async def feature(request: web.Request) -> web.Response:
    """``/models/<model>/features/<feature>?window=&measure=``: one feature of it."""
    site, found = request.app[SITE], read.Found()
    name, force = await _model_in_force(request)
    asked, place = request.match_info["feature"], await _place(request, name, force, found=found)
    report = found.reports.get((name, place.window))
    if asked not in force.monitor.features and (report is None or asked not in report.features):
        _absent(f"The model {named(name)} has no feature {named(asked)}.")
    history = await read.read_history(site.redis, site.names, (name, place.window), found=found)
    shown = feature_page(
        asked,
        place,
        force.monitor.features.get(asked),
        report=report,
        history=history,
        picture=await _picture(site.redis, site.names, report, feature=asked),
    )
    return rendered(request, "feature.html", page=shown, unreadable=found.unreadable)


async def incidents(request: web.Request) -> web.Response:
    """``/incidents``: all that Redis holds, those that are open first."""
    site, found = request.app[SITE], read.Found()
    await read.read_incidents(site.redis, site.names, found=found)
    ended, now_ms = ended_rows(found.incidents), await read.read_owner_now(site.redis, site.names)
    silences = [one for one in await read_silences(site.redis, site.names) if one.ends > now_ms]
    return rendered(
        request,
        "incidents.html",
        silences=silences,
        now_ms=now_ms,
        open=open_rows(found.incidents),
        ended=ended[:MOST_ROWS],
        more=max(0, len(ended) - MOST_ROWS),
        unreadable=found.unreadable,
    )


async def incident(request: web.Request) -> web.Response:
    """``/incidents/<id>``: one, with its evidence and what happened."""
    site, found = request.app[SITE], read.Found()
    ident = request.match_info["incident"]
    view = await read.read_incident(site.redis, site.names, ident, found=found)
    if view is None and found.unreadable:
        raise StoreError(found.unreadable[0])
    if view is None:
        _absent(f"There is no incident {named(ident)}. Ended ones are kept for a while, then forgotten.")
    entries = await read_timeline(site.redis, site.names, ident)
    return rendered(request, "incident.html", page=incident_page(view, entries), unreadable=found.unreadable)


async def service_levels(request: web.Request) -> web.Response:
    """``/service-levels``: what is promised, and how fast its budget is spent."""
    site = request.app[SITE]
    generation = await read_generation(site.redis, site.names)
    models = generation.models if generation else {}
    monitors = {name: force.monitor for name, force in models.items()}
    services = await read_services(site.redis, site.names, monitors)
    totals = {name: await read.read_totals(site.redis, site.names, name) for name in [*models][:MOST_TOTALS]}
    return rendered(request, "levels.html", page=levels_page(models, services, totals))


async def health(request: web.Request) -> web.Response:
    """``/health``: whether Redis answers, as JSON; 503 where it does not."""
    try:
        await request.app[SITE].redis.ping()
    except (RedisError, OSError) as error:
        return web.json_response({"well": False, "says": f"Redis does not answer: {error}"}, status=503)
    return web.json_response({"well": True, "says": "Redis answers"})


async def _first_histories(
    site: Site, models: Mapping[str, InForce], *, found: read.Found
) -> Mapping[read.Place, Sequence[Report]]:
    """The histories of each model's first judged window; none of them where there are many models."""
    if len(models) > MOST_SPARKS:
        return {}
    first = dict(reversed(list(found.reports)))  # the shortest window of a model comes first, and stays
    places = [(name, window) for name, window in first.items() if name in models]
    return {
        place: await read.read_history(site.redis, site.names, place, most=SPARK_JUDGEMENTS, found=found)
        for place in places
    }


async def _model_in_force(request: web.Request) -> tuple[str, InForce]:
    site, name = request.app[SITE], request.match_info["model"]
    generation: Generation | None = await read_generation(site.redis, site.names)
    if generation is None:
        _absent("Nothing is in force yet: run `driftline apply FILE` first.")
    if name not in generation.models:
        _absent(f"No model {named(name)} is in force.")
    return name, generation.models[name]


async def _place(request: web.Request, model: str, force: InForce, *, found: read.Found) -> Place:
    """The window and the measure that were asked for, else the shortest and PSI; the feature store's windows if reported."""
    site = request.app[SITE]
    windows = windows_of(force.monitor)
    upstream = [window for stream in UPSTREAM for window in windows_of(force.monitor, stream)]
    await read.read_reports(site.redis, site.names, places_of(model, force), found=found)
    windows += [window for window in upstream if (model, window[0]) in found.reports]
    labels = [label for label, _ in windows]
    asked = request.query.get("window", labels[0] if labels else "")
    if asked not in labels:
        _absent(f"There is no window {named(asked)}; there are {', '.join(map(named, labels)) or 'none'}.")
    compared = any(asked == label for label, _ in windows_of(force.monitor, SKEW))
    measure = request.query.get("measure", SKEW if compared else FIRST)
    if measure not in LABELS:
        _absent(f"There is no measure {named(measure)}; there are {', '.join(LABELS)}.")
    return Place(model, asked, windows, measure)


async def _picture(redis: Redis, names: Names, report: Report | None, *, feature: str) -> Picture:
    """The window's counts against the reference of its report."""
    if report is None or not report.reference:
        return Picture(
            None, "No window was judged yet." if report is None else "There is no reference to compare with."
        )
    if report.stream == SKEW:
        return Picture(None, "Both sides have windows of their own, which show them against the reference.")
    try:
        counts = await read_counts(
            redis,
            names,
            model=report.model,
            stream=cast(Stream, report.stream),
            from_ms=report.start,
            to_ms=report.end,
            layout_hash=report.layout or None,
        )
        profile = (await read_reference(redis, names, report.reference)).features.get(feature)
    except (ConfigError, StoreError) as error:
        return Picture(None, f"The counts of this window cannot be read: {error}")
    counted = counts["features"].get(feature)
    if counted is None or profile is None or not counts["panes"]:
        return Picture(None, "The counts of this window are not stored (any more).")
    made = histogram(counted, profile)
    return Picture(made, "" if made else "Its values are counted by a hash: there are no names to show.")


def _absent(said: str) -> NoReturn:
    raise web.HTTPNotFound(text=said)
