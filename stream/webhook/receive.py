"""The one request that is taken: ``POST /api/v1/alertmanager`` with a bearer token.

It is answered once the broker has the findings.  Until then the answer is 503, which makes Alertmanager send it again; what will
never be taken is a 4xx, which it does not.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from schemas.errors import ConfigError, Unavailable
from schemas.findings import Finding, Progress
from stream.webhook.alerts import WHYS, BadWebhook, Refused, Taken, Why, taken

log = logging.getLogger(__name__)

PATH = "/api/v1/alertmanager"
#: A body that takes longer to come is not waited for.
BODY_WITHIN_S = 10.0
#: So many refusals are named in an answer.
NAMED = 10
#: How often event time is said to have passed for alerts.
MARK_EVERY_S = 15.0
_SCHEME = "Bearer "


class Publishing(Protocol):
    """Where findings go."""

    def publish(self, messages: Sequence[Finding | Progress]) -> None:
        """:raises Unavailable: not now."""


@dataclass(slots=True)
class Tally:
    """Counted since the start."""

    requests: dict[int, int] = field(default_factory=dict)
    firing: int = 0
    resolved: int = 0
    refused: dict[Why, int] = field(default_factory=lambda: dict.fromkeys(WHYS, 0))
    truncated: int = 0
    unpublished: int = 0


def now_ms() -> int:
    """The present."""
    return time.time_ns() // 1_000_000


class Reception:
    """Takes notifications; ``token`` reads the secret at each request, so that a rotated one is followed."""

    def __init__(
        self, publisher: Publishing, *, token: Callable[[], str], repeat_ms: int, clock: Callable[[], int] = now_ms
    ) -> None:
        self.tally = Tally()
        self._publisher, self._token, self._repeat_ms, self._clock = publisher, token, repeat_ms, clock
        self._last_ms = 0
        self._said = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a notification."""
        try:
            answer = await self._answer(request)
        except web.HTTPRequestEntityTooLarge:
            answer = _problem(413, "a body of at most 1 MiB is taken: set max_alerts in webhook_configs")
        self.tally.requests[answer.status] = self.tally.requests.get(answer.status, 0) + 1
        return answer

    async def mark(self) -> None:
        """Say that time has passed, so that holds end and what is not said again becomes stale."""
        at = self._stamp()
        await self._published([Progress(model="alertmanager", stream="webhook", at=at, seen=at)])

    async def _answer(self, request: web.Request) -> web.Response:
        problem = self._stranger(request)
        if problem is not None:
            return problem
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await request.read()
            found = await asyncio.to_thread(taken, body, at_ms=self._stamp(), repeat_ms=self._repeat_ms)
        except TimeoutError:
            return _problem(408, f"the body did not come within {BODY_WITHIN_S:g} s")
        except BadWebhook as error:
            return _problem(400, str(error))
        why = await self._published(found.findings)
        return self._told(found) if why is None else _problem(503, why)

    def _stranger(self, request: web.Request) -> web.Response | None:
        """The answer to who has not got the token."""
        try:
            expected = self._token()
        except ConfigError as error:
            self._say(str(error))
            return _problem(503, "the token cannot be read; the log says where it was looked for")
        given = request.headers.get("Authorization", "")
        if given.startswith(_SCHEME) and _same(given.removeprefix(_SCHEME), expected):
            return None
        answer = _problem(401, "Authorization: Bearer TOKEN is missing, or another token is expected")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    def _stamp(self) -> int:
        """The present, and later than every time before: the newer of two words on an alert is told by it."""
        self._last_ms = max(self._clock(), self._last_ms + 1)
        return self._last_ms

    async def _published(self, messages: Sequence[Finding | Progress]) -> str | None:
        """Why it did not work."""
        try:
            if messages:
                await asyncio.to_thread(self._publisher.publish, messages)
        except Unavailable as error:
            self.tally.unpublished += 1
            self._say(str(error))
            return str(error)
        self._said = ""
        return None

    def _told(self, found: Taken) -> web.Response:
        firing = sum(finding.state == "firing" for finding in found.findings)
        self.tally.firing += firing
        self.tally.resolved += len(found.findings) - firing
        self.tally.truncated += found.truncated
        for one in found.refused:
            self.tally.refused[one.why] += 1
        if found.truncated:
            log.warning("Alertmanager left %d alerts out of a notification: raise its max_alerts", found.truncated)
        said = list(map(_said, found.refused[:NAMED]))
        if found.refused:
            log.warning("%d alerts are not taken: %s", len(found.refused), "; ".join(said))
        told = {"taken": len(found.findings), "refused": len(found.refused), "truncated": found.truncated}
        return web.json_response(told | {"why": said} if said else told)

    def _say(self, why: str) -> None:
        """Once, until something was taken."""
        if why != self._said:
            self._said = why
            log.error("%s", why)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _said(one: Refused) -> str:
    return f"alerts[{one.index}]: {one.why}: {one.detail}"


def _problem(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
