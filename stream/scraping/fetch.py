"""One GET of a target's page: bounded in time and size, to the address of the file and to no other."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import aiohttp

from alerting.receivers.secrets import Secret
from schemas.errors import ConfigError
from schemas.targets import Target
from stream.scraping.broken import Broken
from stream.scraping.exposition import OPENMETRICS

MOST_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_TEXT = ("text/plain", OPENMETRICS)


@dataclass(frozen=True, slots=True)
class Page:
    """What a target answered."""

    body: bytes
    content_type: str


def session() -> aiohttp.ClientSession:
    """A client that keeps no connection, no cookie, and asks no proxy."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


async def fetch(client: aiohttp.ClientSession, target: Target) -> Page:
    """The page, all of it.

    :raises Broken: saying what came instead.
    """
    headers = {"Accept": f"text/plain;version=0.0.4, {OPENMETRICS};version=1.0.0;q=0.5", "Accept-Encoding": "identity"}
    if target.bearer_token is not None:
        headers["Authorization"] = f"Bearer {_token(target)}"
    within = aiohttp.ClientTimeout(total=target.timeout_ms / 1000)
    try:
        async with client.get(target.url, headers=headers, timeout=within, allow_redirects=False) as answer:
            _check(answer)
            return Page(await _read(answer), answer.headers.get("Content-Type", _TEXT[0]).lower())
    except TimeoutError:
        raise Broken("timeout", f"no whole answer within {target.timeout_ms} ms") from None
    except aiohttp.ClientPayloadError:
        raise Broken("truncated", "the answer ended before it was whole") from None
    except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
        raise Broken("connect", f"no answer ({type(error).__name__})") from None


def _check(answer: aiohttp.ClientResponse) -> None:
    if 300 <= answer.status < 400:
        raise Broken("redirect", f"status {answer.status}: name the address itself, redirects are not followed")
    if answer.status != 200:
        raise Broken("status", f"status {answer.status}")
    said = answer.headers.get("Content-Type", _TEXT[0]).lower()
    if not said.startswith(_TEXT):
        raise Broken("content_type", f"{said[:100]!r} is neither text/plain nor OpenMetrics")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Broken("content_type", "is compressed, which was not asked for")


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise Broken("too_large", f"more than {MOST_BYTES} bytes")
    return bytes(body)


def _token(target: Target) -> str:
    assert target.bearer_token is not None
    try:
        token = Secret(target.bearer_token, f"{target.name}: bearer_token", "the targets file").read()
    except ConfigError as error:
        raise Broken("secret", str(error)) from None
    if not token.isprintable() or not token.isascii():
        raise Broken("secret", "the bearer token must be one line of ASCII")
    return token
