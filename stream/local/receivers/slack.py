"""A Slack that records: the few methods that a bot needs, with Slack's limits, its rate rules, and what it does not have.

It has no deduplication: a post that comes twice stands there twice.  Posting takes a channel's name, all else only its id.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from stream.local.receivers.exchange import Answer, Fault, Request, answering, strict_json
from stream.local.receivers.serving import Recording, recording
from stream.local.receivers.slack_rules import Rates, pings, wrong_content

Body = Mapping[str, Any]
_SHOWN = ("text", "blocks", "metadata")


@dataclass(slots=True)
class Posted:
    """A message as it stands: ``edits`` is what it said before, oldest first."""

    channel: str
    ts: str
    content: Body
    thread_ts: str | None = None
    broadcast: bool = False
    edits: list[Body] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What notifications show."""
        return str(self.content.get("text", ""))

    def shown(self, body: Body) -> dict[str, Any]:
        """As ``conversations.history`` gives it: metadata only where it is asked for."""
        thread = {} if self.thread_ts is None else {"thread_ts": self.thread_ts}
        asked = str(body.get("include_all_metadata", "")).lower() in ("1", "true")
        content = {name: value for name, value in self.content.items() if asked or name != "metadata"}
        return {"type": "message", "ts": self.ts, **thread, **content}


class RecordingSlack:
    """The workspace; ``messages`` in the order in which they were posted, ``pings`` what rang somebody by name."""

    name = "slack"

    def __init__(self) -> None:
        self.messages: list[Posted] = []
        self.pings: list[str] = []
        self.archived: set[str] = set()
        self.revoked: set[str] = set()
        self._channels: dict[str, str] = {}
        self._rates = Rates()
        self._methods = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.list": self._list,
        }

    def channel_id(self, channel: str) -> str:
        """The id of a channel by name or id; it exists from the first time that it is named."""
        name = channel.removeprefix("#")
        if name in self._channels.values():
            return name
        return self._channels.setdefault(name, "C" + hashlib.sha256(name.encode()).hexdigest()[:9].upper())

    def roots(self, channel: str | None = None) -> list[Posted]:
        """The messages that are in no thread."""
        wanted = None if channel is None else self.channel_id(channel)
        return [m for m in self.messages if m.thread_ts is None and wanted in (None, m.channel)]

    def thread(self, root: Posted) -> list[Posted]:
        """What stands in a root's thread."""
        return [m for m in self.messages if m.thread_ts == root.ts and m.channel == root.channel]

    def answer(self, request: Request, now_s: float) -> Answer:
        """``POST /api/METHOD``, JSON or a form."""
        method, body = self._read(request)
        if method not in self._methods or body is None:
            return _no("unknown_method" if body is not None else "invalid_json")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token.startswith("xox"):
            return _no("not_authed" if not token else "invalid_auth")
        if token in self.revoked:
            return _no("token_revoked")
        wait = self._wait(method, body, now_s)
        if wait is not None:
            return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait)})
        return self._methods[method](body)

    def described(self, request: Request) -> tuple[str, Body]:
        """The method and its arguments; the token is in a header, and stays there."""
        method, body = self._read(request)
        return method, {name: value for name, value in (body or {}).items() if name != "token"}

    def _read(self, request: Request) -> tuple[str, dict[str, Any] | None]:
        method = request.path.removeprefix("/api/").partition("?")[0]
        if "json" not in request.headers.get("content-type", ""):
            return method, dict(parse_qsl(request.body.decode(errors="replace")))
        try:
            body = strict_json(request.body or b"{}")
        except ValueError:
            return method, None
        return method, body if isinstance(body, dict) else None

    def _wait(self, method: str, body: Body, now_s: float) -> int | None:
        if method == "chat.postMessage":
            return self._rates.wait_for_post(self.channel_id(str(body.get("channel", ""))), now_s)
        return self._rates.wait_for_call(method, now_s)

    def _auth_test(self, body: Body) -> Answer:
        return _yes(team="recording", user="driftline", bot_id="B0RECORD")

    def _post(self, body: Body) -> Answer:
        channel, thread_ts = self.channel_id(str(body.get("channel") or "")), body.get("thread_ts")
        trouble = self._barred(channel) or wrong_content(body)
        if trouble:
            return _no(trouble)
        if thread_ts is not None and self._find(channel, thread_ts) is None:
            return _no("thread_not_found")
        content = {name: body[name] for name in _SHOWN if name in body}
        posted = Posted(channel, self._next_ts(), content, thread_ts, bool(body.get("reply_broadcast")))
        self.messages.append(posted)
        self.pings += pings(body)
        return _yes(channel=channel, ts=posted.ts, message=posted.shown(body))

    def _update(self, body: Body) -> Answer:
        channel = str(body.get("channel") or "")
        trouble = self._unknown(channel) or self._barred(channel) or wrong_content(body)
        if trouble:
            return _no(trouble)
        found = self._find(channel, body.get("ts"))
        if found is None:
            return _no("message_not_found")
        found.edits.append(found.content)
        found.content = {**found.content, **{name: body[name] for name in _SHOWN if name in body}}
        self.pings += pings(body)
        return _yes(channel=channel, ts=found.ts, text=found.text)

    def _history(self, body: Body) -> Answer:
        channel = str(body.get("channel") or "")
        if trouble := self._unknown(channel):
            return _no(trouble)
        found = [m for m in self.messages if m.channel == channel and (m.thread_ts is None or m.broadcast)]
        return _page([m.shown(body) for m in reversed(found)], body, name="messages")

    def _replies(self, body: Body) -> Answer:
        channel = str(body.get("channel") or "")
        if trouble := self._unknown(channel):
            return _no(trouble)
        root = self._find(channel, body.get("ts"))
        if root is None:
            return _no("thread_not_found")
        return _page([m.shown(body) for m in (root, *self.thread(root))], body, name="messages")

    def _list(self, body: Body) -> Answer:
        found = [{"id": number, "name": name} for name, number in self._channels.items()]
        return _page(found, body, name="channels")

    def _find(self, channel: str, ts: object) -> Posted | None:
        return next((m for m in self.messages if m.channel == channel and m.ts == ts), None)

    def _barred(self, channel: str) -> str | None:
        return "is_archived" if channel in {self.channel_id(each) for each in self.archived} else None

    def _unknown(self, channel: str) -> str | None:
        return None if channel in self._channels.values() else "channel_not_found"

    def _next_ts(self) -> str:
        return f"1700000000.{len(self.messages) + 1:06d}"


def recording_slack(
    folder: Path | None = None, *, port: int = 0, clock: Callable[[], float] = time.monotonic
) -> AbstractContextManager[Recording[RecordingSlack]]:
    """A running Slack: ``url`` + ``/api/`` for the settings, ``vendor.messages``, ``received``, ``fail_next``."""
    return recording(RecordingSlack(), folder=folder, port=port, clock=clock)


def saying(error: str) -> Fault:
    """An answer that is not "ok", as Slack words it: status 200 and the error's name."""
    return answering(200, {"ok": False, "error": error})


def _page(found: list[dict[str, Any]], body: Body, *, name: str) -> Answer:
    start, limit = int(body.get("cursor") or 0), int(body.get("limit") or 100)
    cursor = str(start + limit) if start + limit < len(found) else ""
    return Answer(
        200, {"ok": True, name: found[start : start + limit], "response_metadata": {"next_cursor": cursor}}
    )  # fmt: skip


def _yes(**body: Any) -> Answer:
    return Answer(200, {"ok": True, **body})


def _no(error: str) -> Answer:
    return Answer(200, {"ok": False, "error": error})
