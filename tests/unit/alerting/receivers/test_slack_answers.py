"""What Slack's answers mean for the register, and that nobody waits for ever or reads a token."""

from __future__ import annotations

import http.server
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from alerting.receivers import slack_api
from alerting.receivers.slack import Slack
from stream.local.receivers.exchange import answering, dropped, hanging
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import RecordingSlack, recording_slack, saying
from tests.support.incident_messages import FIRING, RESOLVED
from tests.support.slack_receiver import TOKEN, made, told


def test_blocks_that_slack_refuses_leave_the_text(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    workspace.fail_next(saying("invalid_blocks"))
    assert channel.deliver(told(), FIRING).outcome == "ok"
    [root] = workspace.vendor.roots()
    assert (root.text[:9], root.content["blocks"]) == ("P1 FIRING", [])


@pytest.mark.parametrize(("header", "wait"), [({}, 1.0), ({"Retry_After": "7"}, 7.0), ({"Retry_After": "soon"}, 1.0)])
def test_429_is_tried_once_and_says_how_long_to_wait(
    channel: Slack, workspace: Recording[RecordingSlack], header: dict[str, str], wait: float
) -> None:
    workspace.fail_next(answering(429, {"ok": False, "error": "ratelimited"}, **header), times=2)
    receipt = channel.deliver(told(), FIRING)
    assert (receipt.outcome, receipt.retry_after_s) == ("retry", wait)
    assert len(workspace.received) == 1


@pytest.mark.parametrize(("status", "body"), [(403, {"error": "blocked"}), (404, {}), (200, {"message": "log in"})])
def test_a_refusal_that_is_not_slacks_own_is_asked_again_slowly(
    channel: Slack, workspace: Recording[RecordingSlack], status: int, body: dict[str, str]
) -> None:
    """A proxy says 403 too, and an incident is not given up for that."""
    workspace.fail_next(answering(status, body))
    receipt = channel.deliver(told(), FIRING)
    assert (receipt.outcome, receipt.retry_after_s) == ("retry", 60.0)


@pytest.mark.parametrize(
    "error", ["is_archived", "token_revoked", "not_in_channel", "invalid_auth", "channel_not_found", "account_inactive"]
)
def test_what_a_person_has_to_change_is_for_good(
    channel: Slack, workspace: Recording[RecordingSlack], error: str
) -> None:
    workspace.fail_next(saying(error))
    receipt = channel.deliver(told(), FIRING)
    assert (receipt.outcome, receipt.why) == ("permanent", f"Slack answered {error}")


def test_a_refusal_says_under_which_token_it_was_and_another_token_is_another_chance(
    channel: Slack, workspace: Recording[RecordingSlack], tmp_path: Path
) -> None:
    workspace.vendor.revoked.add(TOKEN)
    refused = channel.deliver(told(), FIRING)
    assert (refused.outcome, refused.secret) == ("permanent", channel.fingerprint)
    assert TOKEN not in repr(refused)
    (tmp_path / "token").write_text("xoxb-the-new-one")
    assert channel.deliver(told(), FIRING).outcome == "ok"
    assert made(workspace.url, tmp_path).fingerprint == channel.fingerprint == refused.secret, (
        "made() writes the old one"
    )


def test_an_archived_channel_and_a_revoked_token(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    workspace.vendor.archived.add("#ml-p1")
    assert channel.deliver(told(), FIRING).why == "Slack answered is_archived"
    workspace.vendor.revoked.add(TOKEN)
    assert channel.deliver(told(), FIRING).why == "Slack answered token_revoked"


@pytest.mark.parametrize("status", [500, 502, 503, 302])
def test_slacks_own_trouble_passes(channel: Slack, workspace: Recording[RecordingSlack], status: int) -> None:
    workspace.fail_next(answering(status, Location=f"{workspace.url}/elsewhere"), times=3)
    assert channel.deliver(told(), FIRING).outcome == "retry"
    assert len(workspace.received) == 1


def test_a_redirect_takes_the_token_nowhere(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    with recording_slack() as other:
        workspace.fail_next(answering(302, Location=f"{other.url}/api/chat.postMessage"))
        assert "none is followed" in channel.deliver(told(), FIRING).why
        assert other.received == []


def test_a_vendor_that_hangs_is_given_up(
    channel: Slack, workspace: Recording[RecordingSlack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_api, "TIMEOUT_S", 0.2)
    workspace.fail_next(hanging(30))
    receipt = channel.deliver(told(), FIRING)
    assert (receipt.outcome, receipt.why) == ("retry", "Slack did not answer (TimeoutError)")


def test_one_call_begins_no_request_after_its_time(
    channel: Slack, workspace: Recording[RecordingSlack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_api, "LONGEST_S", -1)
    assert channel.deliver(told(), FIRING).outcome == "retry"
    assert workspace.received == []


def test_nobody_there_is_tried_again_later(tmp_path: Path) -> None:
    with recording_slack() as gone:
        url = gone.url
    assert made(url, tmp_path).deliver(told(), FIRING).outcome == "retry"


def test_an_answer_that_is_no_json_is_tried_again_later_or_never_but_raises_nothing(tmp_path: Path) -> None:
    class Nonsense(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.wfile.write(b"HTTP/1.0 503 x\r\nContent-Length: 6\r\n\r\n<html>")

        def log_message(self, format: str, *args: Any) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert made(f"http://127.0.0.1:{server.server_port}", tmp_path).deliver(told(), FIRING).outcome == "retry"


def test_a_rotated_token_is_used_at_once(channel: Slack, workspace: Recording[RecordingSlack], tmp_path: Path) -> None:
    workspace.vendor.revoked.add(TOKEN)
    (tmp_path / "token").write_text("xoxb-the-new-one\n")
    assert channel.deliver(told(), FIRING).outcome == "ok"
    (tmp_path / "token").unlink()
    receipt = channel.deliver(told("close", thread="C1:1"), RESOLVED)
    assert receipt.outcome == "retry"
    assert "receivers.team.slack.token" in receipt.why


def test_the_token_is_shown_nowhere(
    channel: Slack, workspace: Recording[RecordingSlack], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    workspace.fail_next(saying("invalid_auth"), answering(500), dropped(), saying(TOKEN))
    said = [channel.deliver(told(), FIRING).why for _ in range(5)]
    assert TOKEN not in "\n".join([*said, repr(channel), caplog.text])
    assert repr(channel) == "Slack(slack:#ml-p1)"


def test_a_proxy_of_the_environment_is_not_between_us_and_a_recording_receiver(
    channel: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert channel.deliver(told(), FIRING).outcome == "ok"
