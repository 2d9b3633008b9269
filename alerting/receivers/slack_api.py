"""slack-sdk's client, made to ask once and to follow no redirect, and the calls of it that we use."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from alerting.messages.slack import Post
from alerting.receivers.endpoints import is_loopback
from alerting.receivers.receiver import LONGEST_S, TIMEOUT_S

EVENT_TYPE, LINE_TYPE = "driftline_incident", "driftline_line"
PAGE, PAGES = 200, 5
LONGEST_BODY = 4 << 20
#: What the library would say of a failure is in the receipt; what it would say at DEBUG holds whole messages.
_SILENT = logging.getLogger(f"{__name__}.sdk")
_SILENT.setLevel(logging.CRITICAL + 1)

Found = dict[str, Any]


class NoRedirect(HTTPRedirectHandler):
    """A redirect is an answer like any other error: urllib would send the token along to wherever it points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: not followed."""


class OneTry(WebClient):
    """A client without retry handlers, redirects, and (to the loopback) proxies."""

    def __init__(self, token: str, *, url: str, context: ssl.SSLContext) -> None:
        super().__init__(
            token=token, base_url=url, timeout=TIMEOUT_S, ssl=context, retry_handlers=[], logger=_SILENT
        )  # fmt: skip
        proxies = ProxyHandler({} if is_loopback(url) else None)
        self._opener = build_opener(proxies, HTTPSHandler(context=context), NoRedirect())
        self._until = time.monotonic() + LONGEST_S

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if time.monotonic() > self._until:
            raise TimeoutError(f"more than {LONGEST_S} s for one call")
        with self._opener.open(req, timeout=self.timeout) as answer:
            charset = answer.headers.get_content_charset() or "utf-8"
            body = answer.read(LONGEST_BODY).decode(charset, errors="replace")
            return {"status": answer.status, "headers": answer.headers, "body": body}


def post_root(client: WebClient, channel: str, post: Post, *, payload: Mapping[str, str]) -> str:
    """A new root message; returns its thread (``channel id:ts``)."""
    answer = client.chat_postMessage(
        channel=channel, text=post.text, blocks=post.blocks, metadata={"event_type": EVENT_TYPE, "event_payload": {**payload}},
        unfurl_links=False, unfurl_media=False,
    )  # fmt: skip
    return f"{answer['channel']}:{answer['ts']}"


def post_line(client: WebClient, thread: str, post: Post, *, line: str, broadcast: bool) -> None:
    """A message in a thread, which says by ``line`` how far the history is told (empty: nothing of that)."""
    channel, _, ts = thread.rpartition(":")
    client.chat_postMessage(
        channel=channel, thread_ts=ts, text=post.text, blocks=post.blocks, reply_broadcast=broadcast,
        metadata={"event_type": LINE_TYPE, "event_payload": {"line": line}}, unfurl_links=False, unfurl_media=False,
    )  # fmt: skip


def edit(client: WebClient, thread: str, post: Post, *, payload: Mapping[str, str]) -> None:
    """The root message, as it is now."""
    channel, _, ts = thread.rpartition(":")
    metadata = {"event_type": EVENT_TYPE, "event_payload": {**payload}}
    client.chat_update(channel=channel, ts=ts, text=post.text, blocks=post.blocks, metadata=metadata)


def find_root(client: WebClient, channel: str, *, dedup_key: str) -> str | None:
    """The thread of a root message that was posted before, among the channel's newest; the oldest of several."""
    channel_id = _id_of(client, channel)
    if channel_id is None:
        return None
    found = [m["ts"] for m in _history(client, channel_id) if _payload(m, EVENT_TYPE).get("dedup_key") == dedup_key]
    return f"{channel_id}:{min(found)}" if found else None


def last_line(client: WebClient, thread: str) -> str | None:
    """How far the history is told in a thread; None where nothing is."""
    channel, _, ts = thread.rpartition(":")
    where = {"channel": channel, "ts": ts, "include_all_metadata": True}
    answers = _pages(client, "conversations.replies", where)
    lines = [_payload(message, LINE_TYPE).get("line") for answer in answers for message in answer.get("messages", [])]
    return next((line for line in reversed(lines) if line and isinstance(line, str)), None)


def error_of(error: SlackApiError) -> str:
    """Slack's name for what is wrong; empty where the body is not Slack's."""
    data = error.response.data
    return str(data.get("error", "")) if isinstance(data, dict) and data.get("ok") is False else ""


def _id_of(client: WebClient, channel: str) -> str | None:
    """A channel's id; a name is looked up, because Slack takes names for posting only."""
    if not channel.startswith("#"):
        return channel
    for answer in _pages(client, "conversations.list", {"types": "public_channel,private_channel"}):
        for found in answer.get("channels", []):
            if found.get("name") == channel[1:]:
                return str(found["id"])
    return None


def _history(client: WebClient, channel_id: str) -> Iterator[Found]:
    for answer in _pages(client, "conversations.history", {"channel": channel_id, "include_all_metadata": True}):
        yield from answer.get("messages", [])


def _pages(client: WebClient, method: str, params: Mapping[str, object]) -> Iterator[Any]:
    cursor = ""
    for _ in range(PAGES):
        more = {"cursor": cursor} if cursor else {}
        answer = client.api_call(method, http_verb="GET", params={**params, **more, "limit": PAGE})
        yield answer
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def _payload(message: Found, event_type: str) -> dict[str, Any]:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") if metadata.get("event_type") == event_type else None
    return payload if isinstance(payload, dict) else {}
