"""What Slack refuses: the published limits of texts and blocks, and its rate rules.  Pure."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BLOCKS, HEADER, SECTION, FIELDS, FIELD, ELEMENTS, TEXT = 50, 150, 3000, 10, 2000, 10, 40_000
#: Posts to one channel: one a second, and a few at once; other methods: so many a minute.
POST_BURST, METHOD_A_MINUTE = 5, 50
#: What rings everybody or somebody, unless it is escaped.
PING = re.compile(r"<!(?:channel|here|everyone|subteam)[^>]*>|<@[^>]*>")


def wrong_content(body: Mapping[str, Any]) -> str | None:
    """Slack's name for what is wrong with a message; None where nothing is."""
    blocks = body.get("blocks") or []
    if not body.get("text") and not blocks:
        return "no_text"
    if len(body.get("text") or "") > TEXT:
        return "msg_too_long"
    if not isinstance(blocks, list) or len(blocks) > BLOCKS or any(_wrong_block(block) for block in blocks):
        return "invalid_blocks"
    metadata = body.get("metadata")
    if metadata is not None and not (metadata.get("event_type") and isinstance(metadata.get("event_payload"), dict)):
        return "invalid_metadata_format"
    return None


def pings(body: Mapping[str, Any]) -> list[str]:
    """Whom a message rings by name."""
    return [found for text in _texts(body) for found in PING.findall(text)]


@dataclass(slots=True)
class Rates:
    """Who asked how often; a bucket a channel, a sliding minute a method."""

    tokens: dict[str, tuple[float, float]] = field(default_factory=dict)
    calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def wait_for_post(self, channel: str, now_s: float) -> int | None:
        """Seconds to wait before a post to this channel; None where there is room, which it takes."""
        left, at = self.tokens.get(channel, (float(POST_BURST), now_s))
        left = min(POST_BURST, left + now_s - at)
        self.tokens[channel] = (left - 1 if left >= 1 else left, now_s)
        return None if left >= 1 else 1

    def wait_for_call(self, method: str, now_s: float) -> int | None:
        """The same for any other method."""
        calls = self.calls[method]
        while calls and calls[0] <= now_s - 60:
            calls.popleft()
        if len(calls) >= METHOD_A_MINUTE:
            return int(calls[0] + 60 - now_s) + 1
        calls.append(now_s)
        return None


def _wrong_block(block: Any) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text", "text": str(text)}}:
            return not 0 < len(text) <= HEADER
        case {"type": "section"}:
            return _wrong_section(block)
        case {"type": "context", "elements": list(elements)}:
            return not 0 < len(elements) <= ELEMENTS or any(_wrong_text(element, SECTION) for element in elements)
        case {"type": "divider"}:
            return False
    return True


def _wrong_section(block: Mapping[str, Any]) -> bool:
    text, fields = block.get("text"), block.get("fields") or []
    if text is None and not fields:
        return True
    too_many = len(fields) > FIELDS or any(_wrong_text(each, FIELD) for each in fields)
    return too_many or (text is not None and _wrong_text(text, SECTION))


def _wrong_text(text: Any, limit: int) -> bool:
    match text:
        case {"type": "mrkdwn" | "plain_text", "text": str(said)}:
            return not 0 < len(said) <= limit
    return True


def _texts(body: Any) -> Iterator[str]:
    match body:
        case dict():
            for name, value in body.items():
                if name == "text" and isinstance(value, str):
                    yield value
                elif name in ("text", "blocks", "fields", "elements"):
                    yield from _texts(value)
        case list():
            for each in body:
                yield from _texts(each)
