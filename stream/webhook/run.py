"""Runs the webhook: one address, one broker, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from functools import partial

from aiohttp import web

from alerting.receivers.secrets import Secret
from schemas.errors import ConfigError, Problem
from schemas.monitored import SecretPlace
from schemas.settings import Settings
from stream.evaluate.own_topics import ensure_topics
from stream.expose.http import address, listening_socket, pages
from stream.webhook.metrics import WebhookMetrics
from stream.webhook.publish import Publisher, findings_producer
from stream.webhook.receive import MARK_EVERY_S, PATH, Reception


def run(settings: Settings) -> None:
    """Take notifications until SIGINT or SIGTERM.

    :raises ConfigError: there is no token, the clock is event time's, or the address is taken.
    """
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    token = token_of(settings)
    asyncio.run(_run(settings, token))


def token_of(settings: Settings) -> Callable[[], str]:
    """What reads the token.

    :raises ConfigError: there is none; or this is a replay, where nothing of the present may come in.
    """
    if settings.clock == "event":
        said = "is 'event', a replay: alerts of the present are not taken there; run the webhook with `live`"
        raise ConfigError([Problem("environment", 0, "DRIFTLINE_CLOCK", said)])
    if settings.webhook_token_file:
        place = SecretPlace(file=settings.webhook_token_file)
        read = Secret(place, "DRIFTLINE_WEBHOOK_TOKEN_FILE").read
        read()
        return read
    token = settings.webhook_token.get_secret_value().strip()
    if not token:
        said = (
            "is missing: nothing is written without a token. Name a file that holds one, or set DRIFTLINE_WEBHOOK_TOKEN"
        )
        raise ConfigError([Problem("environment", 0, "DRIFTLINE_WEBHOOK_TOKEN_FILE", said)])
    return lambda: token


def application(reception: Reception) -> web.Application:
    """The webhook and the pages of its process; a body is at most 1 MiB, as the web server has it."""
    metrics = WebhookMetrics(reception.tally)
    app = pages(metrics.registry, sampler=metrics)
    app.add_routes([web.post(PATH, reception.handle)])
    return app


async def _run(settings: Settings, token: Callable[[], str]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ensure = partial(ensure_topics, settings)
    publisher = Publisher(findings_producer(settings), settings.names.topic("findings"), ensure=ensure)
    reception = Reception(publisher, token=token, repeat_ms=int(settings.webhook_repeat_s * 1000))
    bound = listening_socket(settings.webhook_host, settings.webhook_port, variable="DRIFTLINE_WEBHOOK_PORT")
    runner = web.AppRunner(application(reception), access_log=None)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    print(f"webhook: {address(bound)}", flush=True)
    await _marked(reception, stop)
    await runner.cleanup()


async def _marked(reception: Reception, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await reception.mark()
        try:
            await asyncio.wait_for(stop.wait(), MARK_EVERY_S)
        except TimeoutError:
            continue
