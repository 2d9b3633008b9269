"""The recording PagerDuty: published limits, the rate rule, what it does with keys, and its record."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from stream.local.receivers.exchange import Answer, Request, answering, dropped
from stream.local.receivers.pagerduty import PATH, RecordingPagerDuty, recording_pagerduty
from stream.local.receivers.serving import recorded

KEY = "0123456789abcdef0123456789abcdef"


def event(action: str = "trigger", **changes: Any) -> dict[str, Any]:
    payload = {"summary": "s", "source": "m", "severity": "error"}
    plain = {"routing_key": KEY, "event_action": action, "dedup_key": "k", "payload": payload}
    return {name: value for name, value in {**plain, **changes}.items() if value is not None}


def asked(vendor: RecordingPagerDuty, body: dict[str, Any], now_s: float = 0.0) -> Answer:
    return vendor.answer(Request(PATH, {}, json.dumps(body).encode()), now_s)


def payload(**changes: Any) -> dict[str, Any]:
    return {"summary": "s", "source": "m", "severity": "error", **changes}


@pytest.mark.parametrize(
    "body",
    [
        event(routing_key=KEY[:-1]),
        event(routing_key=f"{KEY}0"),
        event("page"),
        event(dedup_key="k" * 256),
        event("resolve", dedup_key=None),
        event(payload=None),
        event(payload=payload(summary="s" * 1025)),
        event(payload=payload(summary="")),
        event(payload=payload(severity="P0")),
        event(payload={"summary": "s", "severity": "error"}),
        event(links=[{"href": "javascript:1"}]),
        event(payload=payload(custom_details={"x": "y" * 512_000})),
        event(payload=payload(custom_details={"x": float("nan")})),
    ],
)
def test_what_the_events_api_refuses(body: dict[str, Any]) -> None:
    vendor = RecordingPagerDuty()
    answer = asked(vendor, body)
    assert answer.status == 400
    assert answer.body["status"] == "invalid event"
    assert len(answer.body["errors"]) >= 1
    assert vendor.incidents == []


def test_what_is_just_within_the_limits_is_accepted() -> None:
    body = event(dedup_key="k" * 255, payload=payload(summary="s" * 1024, custom_details={"x": "y" * 500_000}))
    assert asked(RecordingPagerDuty(), body).status == 202


def test_a_trigger_on_an_open_key_appends_and_on_a_resolved_one_rings_again() -> None:
    vendor = RecordingPagerDuty()
    for action in ("trigger", "trigger", "resolve", "trigger"):
        assert asked(vendor, event(action)).status == 202
    assert [(len(found.events), found.closed) for found in vendor.incidents] == [(2, True), (1, False)]
    assert vendor.rings == 2


def test_a_resolve_by_another_key_or_of_nothing_is_accepted_and_lost() -> None:
    vendor = RecordingPagerDuty()
    asked(vendor, event())
    assert asked(vendor, event("resolve", routing_key="f" * 32)).status == 202
    assert asked(vendor, event("resolve", dedup_key="other")).status == 202
    assert vendor.open_keys() == ["k"]
    assert len(vendor.lost) == 2


def test_120_events_a_minute_and_key_and_not_one_more() -> None:
    vendor = RecordingPagerDuty()
    assert {asked(vendor, event(), n / 4).status for n in range(120)} == {202}
    refused = asked(vendor, event(), 30.0)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "31")
    assert asked(vendor, event(routing_key="f" * 32), 30.0).status == 202
    assert asked(vendor, event(), 60.0).status == 202


def test_what_came_is_on_record_here_and_in_a_file_without_the_key(tmp_path: Path) -> None:
    with recording_pagerduty(tmp_path) as found:
        found.fail_next(answering(503), dropped())
        statuses = [post(found.url, event()) for _ in range(3)]
    assert statuses == [503, 0, 202]
    lines = recorded(tmp_path, "pagerduty")
    assert [(line["method"], line["status"], line["fault"]) for line in lines] == [
        ("trigger", 503, True), ("trigger", 0, True), ("trigger", 202, False),
    ]  # fmt: skip
    assert lines[0]["body"]["routing_key"] == "sha256:3eb1bd439947"
    assert KEY not in (tmp_path / "pagerduty.jsonl").read_text()
    assert [one.status for one in found.received] == statuses
    assert len(found.vendor.incidents[0].events) == 2  # the dropped one was done all the same
    assert recorded(tmp_path, "slack") == []


def test_faults_can_be_taken_back() -> None:
    with recording_pagerduty() as found:
        found.fail_next(answering(500), times=5)
        assert post(found.url, event()) == 500
        found.heal()
        assert post(found.url, event()) == 202


def post(url: str, body: dict[str, Any]) -> int:
    request = urllib.request.Request(url + PATH, json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0
