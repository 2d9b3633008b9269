"""Slack by its real client against a recording one: the root edited in place, the thread, and what each answer means."""

from __future__ import annotations

import http.server
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.deliveries import Call
from alerting.messages.place import Place
from alerting.receivers import slack_api
from alerting.receivers.secrets import Secret
from alerting.receivers.slack import Slack
from schemas.monitored import SecretPlace
from stream.local.receivers.exchange import answering, dropped, hanging, lost
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import Posted, RecordingSlack, recording_slack, saying
from tests.support.incident_messages import FIRING, RESOLVED, TEMP, call

TOKEN = "xoxb-not-a-real-token"
WORSE = replace(FIRING, severity="P0", worst="P0", reason="worse", why="worse: P0", history=("opened P1", "P1 to P0"))


@pytest.fixture
def vendor() -> Iterator[Recording[RecordingSlack]]:
    with recording_slack() as found:
        yield found


@pytest.fixture
def receiver(vendor: Recording[RecordingSlack], tmp_path: Path) -> Slack:
    return made(vendor.url, tmp_path)


def made(url: str, folder: Path) -> Slack:
    (folder / "token").write_text(TOKEN)
    secret = Secret(SecretPlace(file=str(folder / "token")), "receivers.team.slack.token")
    return Slack(secret, channel="#ml-p1", url=f"{url}/api/", place=Place("prod", "http://127.0.0.1:8789"))


def told(kind: str = "open", **changes: Any) -> Call:
    return call(kind, at="slack", **changes)


def opened(receiver: Slack) -> str:
    thread = receiver.deliver(told(), FIRING).thread
    assert thread is not None
    return thread


def texts(posted: Posted) -> list[str]:
    return [block["text"]["text"] for block in posted.content["blocks"] if "text" in block]


def test_an_opening_posts_one_root_that_says_it_all(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    receipt = receiver.deliver(told(), FIRING)
    [root] = vendor.vendor.roots("#ml-p1")
    assert (receipt.outcome, receipt.thread) == ("ok", f"{root.channel}:{root.ts}")
    assert root.content["metadata"] == {
        "event_type": "driftline_incident",
        "event_payload": {"incident_id": "INC-7", "dedup_key": "INC-7:1"},
    }
    head, what, members, why, do = texts(root)
    assert root.text == head == "P1 FIRING · flight-delay · 2 features drifted (PSI 0.41)"
    assert what.splitlines() == [
        "*Likely cause* source:noaa-feed (92 %)",
        "*Since* after 2012-12-31 10:15 UTC (<!date^1356948900^{date_short_pretty} {time} your time|2012-12-31 10:15 UTC>), "
        "by 2013-01-01 10:15 UTC (<!date^1357035300^{date_short_pretty} {time} your time|2013-01-01 10:15 UTC>)",
        "*Extent* 2 of 2 findings firing",
    ]
    assert members.splitlines()[0] == "• *flight-delay/temp* psi 0.414 (limit 0.25), n 19 874, window day"
    assert why == '*Why you* first: P1 matches severity="P1"\nOwner: data-platform'
    assert do == "*Do* `driftline incident show INC-7`\n*Do* `driftline incident ack INC-7`"
    assert vendor.received[-1].body["unfurl_links"] is False
    assert vendor.received[-1].body["unfurl_media"] is False
    footer = root.content["blocks"][-1]["elements"][0]["text"]
    assert footer == (
        "incident `INC-7` · environment prod · <http://127.0.0.1:8789/incidents/INC-7|open in the console>"
    )


def test_an_update_edits_the_root_and_says_only_what_is_new_in_the_thread(
    receiver: Slack, vendor: Recording[RecordingSlack]
) -> None:
    thread = opened(receiver)
    now = replace(FIRING, title="5 of 6 clear", history=("opened P1", "temp clear", "dewp clear"))
    for _ in range(2):  # the second brings nothing new
        assert receiver.deliver(told("update", thread=thread), now).outcome == "ok"
    [root] = vendor.vendor.roots()
    assert root.text == "P1 FIRING · 5 of 6 clear"
    assert root.content["metadata"]["event_payload"]["incident_id"] == "INC-7"
    [line] = vendor.vendor.thread(root)
    assert texts(line) == ["temp clear\ndewp clear"]
    assert not line.broadcast


def test_a_worsening_and_the_end_are_told_to_the_channel_too(
    receiver: Slack, vendor: Recording[RecordingSlack]
) -> None:
    thread = opened(receiver)
    receiver.deliver(told("update", thread=thread), WORSE)
    receiver.deliver(told("close", thread=thread), RESOLVED)
    [root] = vendor.vendor.roots()
    assert root.text == "P1 RESOLVED · flight-delay · 2 features drifted (PSI 0.41)"
    assert [line.broadcast for line in vendor.vendor.thread(root)] == [True, True]
    assert texts(vendor.vendor.thread(root)[1])[0].splitlines() == [
        "temp recovered",
        "*P1 RESOLVED · flight-delay · 2 features drifted (PSI 0.41)*: recovered: 3 windows in a row are clear, "
        "lasted 3 d, peak psi 0.52 (flight-delay/temp)",
    ]


def test_a_close_says_resolved_whatever_the_reason(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    thread = opened(receiver)
    receiver.deliver(told("close", thread=thread), FIRING)
    assert vendor.vendor.roots()[0].text.startswith("P1 RESOLVED")


def test_an_opening_in_doubt_is_looked_up_before_it_is_posted(
    receiver: Slack, vendor: Recording[RecordingSlack], tmp_path: Path
) -> None:
    vendor.fail_next(dropped())
    assert receiver.deliver(told(), FIRING).outcome == "retry"
    after_a_crash = made(vendor.url, tmp_path)
    receipt = after_a_crash.deliver(told(doubt=True), FIRING)
    [root] = vendor.vendor.roots()
    assert receipt.thread == f"{root.channel}:{root.ts}"


def test_an_opening_in_doubt_that_never_arrived_is_posted(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    vendor.fail_next(lost())
    assert receiver.deliver(told(), FIRING).outcome == "retry"
    assert receiver.deliver(told(doubt=True), FIRING).outcome == "ok"
    assert len(vendor.vendor.roots()) == 1


def test_a_doubtful_root_is_found_behind_hundreds_of_other_messages(
    receiver: Slack, vendor: Recording[RecordingSlack]
) -> None:
    opened(receiver)
    [root] = vendor.vendor.roots()
    vendor.vendor.messages += [Posted(root.channel, f"1700000001.{n:06d}", {"text": "chat"}) for n in range(450)]
    assert receiver.deliver(told(doubt=True), FIRING).thread == f"{root.channel}:{root.ts}"


def test_a_bot_that_may_not_look_posts_again(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    opened(receiver)
    vendor.fail_next(saying("missing_scope"))
    assert receiver.deliver(told(doubt=True), FIRING).outcome == "ok"
    assert len(vendor.vendor.roots()) == 2


def test_a_look_up_that_fails_for_now_posts_nothing(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    opened(receiver)
    vendor.fail_next(saying("internal_error"))
    assert receiver.deliver(told(doubt=True), FIRING).outcome == "retry"
    assert len(vendor.vendor.roots()) == 1


def test_a_close_without_a_thread_finds_the_root_or_names_the_incident(
    receiver: Slack, vendor: Recording[RecordingSlack]
) -> None:
    opened(receiver)
    receiver.deliver(told("close"), RESOLVED)
    assert [root.text.split(" · ")[0] for root in vendor.vendor.roots()] == ["P1 RESOLVED"]
    receiver.deliver(told("close", dedup_key="INC-8:1"), replace(RESOLVED, incident="INC-8"))
    assert "incident INC-8; an older message here may still say FIRING" in vendor.vendor.roots()[-1].text


def test_a_line_whose_answer_was_lost_is_not_said_twice(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    thread = opened(receiver)
    vendor.fail_next(answering(200, {"ok": True}), dropped())
    outcomes = [receiver.deliver(told("close", thread=thread), RESOLVED).outcome for _ in range(2)]
    assert outcomes == ["retry", "ok"]
    [root] = vendor.vendor.roots()
    assert root.text.startswith("P1 RESOLVED")
    assert len(vendor.vendor.thread(root)) == 1


def test_after_a_restart_the_thread_goes_on_where_it_was(
    receiver: Slack, vendor: Recording[RecordingSlack], tmp_path: Path
) -> None:
    thread = opened(receiver)
    receiver.deliver(told("update", thread=thread), replace(FIRING, history=("opened P1", "one")))
    restarted = made(vendor.url, tmp_path)
    for history in (("opened P1", "one"), ("opened P1", "one", "two", "three")):
        restarted.deliver(told("update", thread=thread), replace(FIRING, history=history))
    [root] = vendor.vendor.roots()
    assert [texts(line)[0] for line in vendor.vendor.thread(root)] == ["one", "two\nthree"]


def test_a_root_that_somebody_deleted_is_posted_anew(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    thread = opened(receiver)
    vendor.vendor.messages.clear()
    vendor.vendor.messages.append(Posted("C0", "1", {}))
    receipt = receiver.deliver(told("update", thread=thread), FIRING)
    assert receipt.outcome == "ok"
    assert receipt.thread not in (None, thread)


def test_names_from_events_ring_nobody_and_break_nothing(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    wild = "<!channel>\n<@U1>\u202e`<!here|x> & co\ud800\x07"
    message = replace(
        FIRING, title=wild, cause=wild, why=wild, owner=wild, models=(wild,), links=(wild,), history=(wild,), incident=wild,
        acknowledged_by=wild, members=(replace(TEMP, subject=wild, rule=wild, window=wild),),
    )  # fmt: skip
    thread = opened(receiver)
    for kind in ("open", "update", "close", "note"):
        assert receiver.deliver(told(kind, thread=thread if kind != "open" else None), message).outcome == "ok"
    assert vendor.vendor.pings == []
    shown = str([m.content for m in vendor.vendor.messages])
    assert "&lt;!channel&gt; &lt;@U1&gt;" in shown
    assert not {"\u202e", "\x07", "\ud800"} & set(shown)
    assert "&amp;lt;" not in shown
    assert {block["text"].get("verbatim") for m in vendor.vendor.messages for block in m.content["blocks"] if
            block["type"] == "section"} == {True}  # fmt: skip


@pytest.mark.parametrize("letter", ["x", "<", "&", "😀"])
def test_a_message_is_within_slacks_limits_whatever_the_names_are(
    receiver: Slack, vendor: Recording[RecordingSlack], letter: str
) -> None:
    long = letter * 9_000
    message = replace(
        FIRING, title=long, cause=long, why=long, owner=long, incident=long, links=(long,) * 30, history=(long,) * 99,
        members=(replace(TEMP, subject=long, rule=long),) * 99,
    )  # fmt: skip
    thread = opened(receiver)
    for kind in ("open", "update", "close", "note"):
        assert receiver.deliver(told(kind, thread=thread if kind != "open" else None), message).outcome == "ok"
    [header] = {m.content["blocks"][0]["text"]["text"] for m in vendor.vendor.roots() if
                m.content["blocks"][0]["type"] == "header" and letter * 2 in m.text.replace("&lt;", "<").replace("&amp;", "&")
                and "FIRING" in m.text}  # fmt: skip
    assert 140 < len(header) <= 150
    assert header.endswith("…")


def test_blocks_that_slack_refuses_leave_the_text(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    vendor.fail_next(saying("invalid_blocks"))
    assert receiver.deliver(told(), FIRING).outcome == "ok"
    [root] = vendor.vendor.roots()
    assert (root.text[:9], root.content["blocks"]) == ("P1 FIRING", [])


@pytest.mark.parametrize(("header", "wait"), [({}, 1.0), ({"Retry_After": "7"}, 7.0), ({"Retry_After": "soon"}, 1.0)])
def test_429_is_tried_once_and_says_how_long_to_wait(
    receiver: Slack, vendor: Recording[RecordingSlack], header: dict[str, str], wait: float
) -> None:
    vendor.fail_next(answering(429, {"ok": False, "error": "ratelimited"}, **header), times=2)
    receipt = receiver.deliver(told(), FIRING)
    assert (receipt.outcome, receipt.retry_after_s) == ("retry", wait)
    assert len(vendor.received) == 1


@pytest.mark.parametrize(
    "error", ["is_archived", "token_revoked", "not_in_channel", "invalid_auth", "channel_not_found", "account_inactive"]
)
def test_what_a_person_has_to_change_is_for_good(
    receiver: Slack, vendor: Recording[RecordingSlack], error: str
) -> None:
    vendor.fail_next(saying(error))
    receipt = receiver.deliver(told(), FIRING)
    assert (receipt.outcome, receipt.why) == ("permanent", f"Slack answered {error}")


def test_an_archived_channel_and_a_revoked_token(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    vendor.vendor.archived.add("#ml-p1")
    assert receiver.deliver(told(), FIRING).why == "Slack answered is_archived"
    vendor.vendor.revoked.add(TOKEN)
    assert receiver.deliver(told(), FIRING).why == "Slack answered token_revoked"


@pytest.mark.parametrize("status", [500, 502, 503, 302])
def test_slacks_own_trouble_passes(receiver: Slack, vendor: Recording[RecordingSlack], status: int) -> None:
    vendor.fail_next(answering(status, Location=f"{vendor.url}/elsewhere"), times=3)
    assert receiver.deliver(told(), FIRING).outcome == "retry"
    assert len(vendor.received) == 1


def test_a_redirect_takes_the_token_nowhere(receiver: Slack, vendor: Recording[RecordingSlack]) -> None:
    with recording_slack() as other:
        vendor.fail_next(answering(302, Location=f"{other.url}/api/chat.postMessage"))
        assert "none is followed" in receiver.deliver(told(), FIRING).why
        assert other.received == []


def test_a_vendor_that_hangs_is_given_up(
    receiver: Slack, vendor: Recording[RecordingSlack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_api, "TIMEOUT_S", 0.2)
    vendor.fail_next(hanging(30))
    receipt = receiver.deliver(told(), FIRING)
    assert (receipt.outcome, receipt.why) == ("retry", "Slack did not answer (TimeoutError)")


def test_one_call_begins_no_request_after_its_time(
    receiver: Slack, vendor: Recording[RecordingSlack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_api, "LONGEST_S", -1)
    assert receiver.deliver(told(), FIRING).outcome == "retry"
    assert vendor.received == []


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


def test_a_rotated_token_is_used_at_once(receiver: Slack, vendor: Recording[RecordingSlack], tmp_path: Path) -> None:
    vendor.vendor.revoked.add(TOKEN)
    (tmp_path / "token").write_text("xoxb-the-new-one\n")
    assert receiver.deliver(told(), FIRING).outcome == "ok"
    (tmp_path / "token").unlink()
    receipt = receiver.deliver(told("close", thread="C1:1"), RESOLVED)
    assert receipt.outcome == "retry"
    assert "receivers.team.slack.token" in receipt.why


def test_the_token_is_shown_nowhere(
    receiver: Slack, vendor: Recording[RecordingSlack], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.fail_next(saying("invalid_auth"), answering(500), dropped(), saying(TOKEN))
    said = [receiver.deliver(told(), FIRING).why for _ in range(5)]
    assert TOKEN not in "\n".join([*said, repr(receiver), caplog.text])
    assert repr(receiver) == "Slack(slack:#ml-p1)"


def test_a_proxy_of_the_environment_is_not_between_us_and_a_recording_receiver(
    receiver: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert receiver.deliver(told(), FIRING).outcome == "ok"
