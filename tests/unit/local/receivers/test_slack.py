"""The recording Slack: published limits, rate rules, and what it does not have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream.local.receivers.exchange import Answer, Request
from stream.local.receivers.slack import RecordingSlack
from stream.local.receivers.slack_rules import pings, wrong_content


def asked(vendor: RecordingSlack, method: str, now_s: float = 0.0, **body: Any) -> Answer:
    headers = {"authorization": "Bearer xoxb-1", "content-type": "application/json;charset=utf-8"}
    return vendor.answer(Request(f"/api/{method}", headers, json.dumps(body).encode()), now_s)


def posted(vendor: RecordingSlack, text: str = "x", **body: Any) -> dict[str, Any]:
    answer = asked(vendor, "chat.postMessage", 1e9 + len(vendor.messages) * 60, channel="#c", text=text, **body)
    assert answer.body["ok"], answer.body
    return dict(answer.body)


def section(text: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def fields(count: int, length: int) -> dict[str, Any]:
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * length}] * count}


def header(length: int) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": "x" * length}}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": [section()] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": [header(151)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("x" * 3001)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "x", "blocks": [fields(11, 1)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [fields(1, 2001)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        ({"text": "x", "metadata": {"event_type": "y"}}, "invalid_metadata_format"),
        ({"text": "x" * 40_000, "blocks": [header(150), section("x" * 3000), fields(10, 2000)] * 16}, None),
    ],
)
def test_what_slack_refuses(body: dict[str, Any], error: str | None) -> None:
    assert wrong_content(body) == error


def test_a_post_that_comes_twice_stands_there_twice() -> None:
    vendor = RecordingSlack()
    assert posted(vendor)["ts"] != posted(vendor)["ts"]
    assert len(vendor.roots("#c")) == 2


def test_a_message_is_edited_by_the_channels_id_only() -> None:
    vendor = RecordingSlack()
    made = posted(vendor, "before")
    assert asked(vendor, "chat.update", channel="#c", ts=made["ts"], text="now").body["error"] == "channel_not_found"
    assert asked(vendor, "chat.update", channel=made["channel"], ts=made["ts"], text="now").body["ok"]
    assert (
        asked(vendor, "chat.update", channel=made["channel"], ts="1", text="now").body["error"] == "message_not_found"
    )
    [root] = vendor.roots()
    assert (root.text, root.edits) == ("now", [{"text": "before"}])


def test_threads_and_history() -> None:
    vendor = RecordingSlack()
    root = posted(vendor, "root", metadata={"event_type": "e", "event_payload": {"id": "7"}})
    posted(vendor, "quiet", thread_ts=root["ts"])
    posted(vendor, "loud", thread_ts=root["ts"], reply_broadcast=True)
    answer = asked(vendor, "chat.postMessage", 9e9, channel="#c", text="x", thread_ts="1")
    assert answer.body["error"] == "thread_not_found"
    where = {"channel": root["channel"], "ts": root["ts"]}
    shown = asked(vendor, "conversations.history", include_all_metadata=True, **where).body["messages"]
    assert [message["text"] for message in shown] == ["loud", "root"]
    assert shown[1]["metadata"]["event_payload"] == {"id": "7"}
    assert "metadata" not in asked(vendor, "conversations.history", **where).body["messages"][1]
    replies = asked(vendor, "conversations.replies", **where).body["messages"]
    assert [message["text"] for message in replies] == ["root", "quiet", "loud"]
    first = asked(vendor, "conversations.replies", limit=2, **where).body
    rest = asked(
        vendor, "conversations.replies", limit=2, cursor=first["response_metadata"]["next_cursor"], **where
    ).body
    assert [message["text"] for message in rest["messages"]] == ["loud"]
    assert rest["response_metadata"]["next_cursor"] == ""


def test_tokens_and_channels() -> None:
    vendor = RecordingSlack()
    posted(vendor)
    vendor.archived.add("#c")
    assert asked(vendor, "chat.postMessage", 9e9, channel="#c", text="x").body["error"] == "is_archived"
    vendor.revoked.add("xoxb-1")
    assert asked(vendor, "auth.test").body["error"] == "token_revoked"
    bare = Request("/api/auth.test", {"content-type": "application/json"}, b"{}")
    assert vendor.answer(bare, 0.0).body["error"] == "not_authed"
    assert asked(RecordingSlack(), "auth.test").body["ok"]


def test_a_post_a_second_and_channel_after_a_few_at_once() -> None:
    vendor = RecordingSlack()
    statuses = [asked(vendor, "chat.postMessage", channel="#c", text="x").status for _ in range(7)]
    assert statuses == [200] * 5 + [429, 429]
    assert asked(vendor, "chat.postMessage", channel="#other", text="x").status == 200
    later = [asked(vendor, "chat.postMessage", 1.0, channel="#c", text="x").status for _ in range(2)]
    assert later == [200, 429]
    assert len(vendor.roots("#c")) == 6


def test_other_methods_fifty_a_minute() -> None:
    vendor = RecordingSlack()
    statuses = [asked(vendor, "auth.test", n).status for n in range(51)]
    assert statuses == [200] * 50 + [429]
    assert asked(vendor, "auth.test", 60.0).status == 200


def test_who_is_rung_by_name_is_noted_unless_it_is_escaped() -> None:
    blocks = [
        section("<!here> &lt;!everyone&gt;"),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<@U7>"}]},
    ]
    assert pings({"text": "<!channel>", "blocks": blocks}) == ["<!channel>", "<!here>", "<@U7>"]
    vendor = RecordingSlack()
    posted(vendor, "<!channel>")
    assert vendor.pings == ["<!channel>"]
