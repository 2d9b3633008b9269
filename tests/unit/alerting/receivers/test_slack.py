"""Slack by its real client against a recording one: the root edited in place, its thread, doubt, and what names can do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alerting.receivers.slack import Slack
from stream.local.receivers.exchange import answering, dropped, lost
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import Posted, RecordingSlack, saying
from tests.support.incident_messages import FIRING, RESOLVED, TEMP
from tests.support.slack_receiver import made, opened, texts, told

WORSE = replace(FIRING, severity="P0", worst="P0", reason="worse", why="worse: P0", history=("opened P1", "P1 to P0"))


def test_an_opening_posts_one_root_that_says_it_all(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    receipt = channel.deliver(told(), FIRING)
    [root] = workspace.vendor.roots("#ml-p1")
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
    assert workspace.received[-1].body["unfurl_links"] is False
    assert workspace.received[-1].body["unfurl_media"] is False
    footer = root.content["blocks"][-1]["elements"][0]["text"]
    assert footer == (
        "incident `INC-7` · environment prod · <http://127.0.0.1:8789/incidents/INC-7|open in the console>"
    )


def test_an_update_edits_the_root_and_says_only_what_is_new_in_the_thread(
    channel: Slack, workspace: Recording[RecordingSlack]
) -> None:
    thread = opened(channel)
    now = replace(FIRING, title="5 of 6 clear", history=("opened P1", "temp clear", "dewp clear"))
    for _ in range(2):  # the second brings nothing new
        assert channel.deliver(told("update", thread=thread), now).outcome == "ok"
    [root] = workspace.vendor.roots()
    assert root.text == "P1 FIRING · 5 of 6 clear"
    assert root.content["metadata"]["event_payload"]["incident_id"] == "INC-7"
    [line] = workspace.vendor.thread(root)
    assert texts(line) == ["temp clear\ndewp clear"]
    assert not line.broadcast


def test_a_worsening_and_the_end_are_told_to_the_channel_too(
    channel: Slack, workspace: Recording[RecordingSlack]
) -> None:
    thread = opened(channel)
    channel.deliver(told("update", thread=thread), WORSE)
    channel.deliver(told("close", thread=thread), RESOLVED)
    [root] = workspace.vendor.roots()
    assert root.text == "P1 RESOLVED · flight-delay · 2 features drifted (PSI 0.41)"
    assert [line.broadcast for line in workspace.vendor.thread(root)] == [True, True]
    assert texts(workspace.vendor.thread(root)[1])[0].splitlines() == [
        "temp recovered",
        "*P1 RESOLVED · flight-delay · 2 features drifted (PSI 0.41)*: recovered: 3 windows in a row are clear, "
        "lasted at most 3 d, peak psi 0.52 (flight-delay/temp)",
    ]


def test_a_close_says_resolved_whatever_the_reason(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    thread = opened(channel)
    channel.deliver(told("close", thread=thread), FIRING)
    assert workspace.vendor.roots()[0].text.startswith("P1 RESOLVED")


def test_an_opening_in_doubt_is_looked_up_before_it_is_posted(
    channel: Slack, workspace: Recording[RecordingSlack], tmp_path: Path
) -> None:
    workspace.fail_next(dropped())
    assert channel.deliver(told(), FIRING).outcome == "retry"
    after_a_crash = made(workspace.url, tmp_path)
    receipt = after_a_crash.deliver(told(doubt=True), FIRING)
    [root] = workspace.vendor.roots()
    assert receipt.thread == f"{root.channel}:{root.ts}"


def test_an_opening_in_doubt_that_never_arrived_is_posted(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    workspace.fail_next(lost())
    assert channel.deliver(told(), FIRING).outcome == "retry"
    assert channel.deliver(told(doubt=True), FIRING).outcome == "ok"
    assert len(workspace.vendor.roots()) == 1


def test_a_doubtful_root_is_found_behind_hundreds_of_other_messages(
    channel: Slack, workspace: Recording[RecordingSlack]
) -> None:
    opened(channel)
    [root] = workspace.vendor.roots()
    workspace.vendor.messages += [Posted(root.channel, f"1700000001.{n:06d}", {"text": "chat"}) for n in range(450)]
    assert channel.deliver(told(doubt=True), FIRING).thread == f"{root.channel}:{root.ts}"


def test_a_bot_that_may_not_look_posts_again(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    opened(channel)
    workspace.fail_next(saying("missing_scope"))
    assert channel.deliver(told(doubt=True), FIRING).outcome == "ok"
    assert len(workspace.vendor.roots()) == 2


def test_a_look_up_that_fails_for_now_posts_nothing(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    opened(channel)
    workspace.fail_next(saying("internal_error"))
    assert channel.deliver(told(doubt=True), FIRING).outcome == "retry"
    assert len(workspace.vendor.roots()) == 1


def test_a_close_without_a_thread_finds_the_root_or_names_the_incident(
    channel: Slack, workspace: Recording[RecordingSlack]
) -> None:
    opened(channel)
    channel.deliver(told("close"), RESOLVED)
    assert [root.text.split(" · ")[0] for root in workspace.vendor.roots()] == ["P1 RESOLVED"]
    channel.deliver(told("close", dedup_key="INC-8:1"), replace(RESOLVED, incident="INC-8"))
    assert "incident INC-8; an older message here may still say FIRING" in workspace.vendor.roots()[-1].text


def test_a_line_whose_answer_was_lost_is_not_said_twice(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    thread = opened(channel)
    workspace.fail_next(answering(200, {"ok": True}), dropped())
    outcomes = [channel.deliver(told("close", thread=thread), RESOLVED).outcome for _ in range(2)]
    assert outcomes == ["retry", "ok"]
    [root] = workspace.vendor.roots()
    assert root.text.startswith("P1 RESOLVED")
    assert len(workspace.vendor.thread(root)) == 1


def test_after_a_restart_the_thread_goes_on_where_it_was(
    channel: Slack, workspace: Recording[RecordingSlack], tmp_path: Path
) -> None:
    thread = opened(channel)
    channel.deliver(told("update", thread=thread), replace(FIRING, history=("opened P1", "one")))
    restarted = made(workspace.url, tmp_path)
    for history in (("opened P1", "one"), ("opened P1", "one", "two", "three")):
        restarted.deliver(told("update", thread=thread), replace(FIRING, history=history))
    [root] = workspace.vendor.roots()
    assert [texts(line)[0] for line in workspace.vendor.thread(root)] == ["one", "two\nthree"]


def test_a_note_is_seen_in_the_channel_and_stands_in_the_thread(
    channel: Slack, workspace: Recording[RecordingSlack]
) -> None:
    thread = opened(channel)
    assert channel.deliver(told("note", thread=thread, why="still open"), FIRING).thread is None
    [line] = workspace.vendor.thread(workspace.vendor.roots()[0])
    assert (line.text, line.broadcast) == (
        "P1 FIRING · flight-delay · 2 features drifted (PSI 0.41): still open", True
    )  # fmt: skip
    channel.deliver(told("note", why="oncall (pagerduty) cannot be told"), FIRING)
    assert workspace.vendor.roots()[1].text.endswith("oncall (pagerduty) cannot be told")
    assert workspace.vendor.roots()[1].content["metadata"]["event_payload"] == {"incident_id": "INC-7"}


def test_a_digest_is_a_message_of_its_own_that_no_incident_takes_for_its_root(
    channel: Slack, workspace: Recording[RecordingSlack]
) -> None:
    lines = ("P0 m: every request failed <!here>", "P1 m: temp drifted")
    digest = replace(RESOLVED, title="2 incidents were over before this channel could be told", history=lines)
    assert channel.deliver(told("digest"), digest).thread is None
    [post] = workspace.vendor.roots("#ml-p1")
    assert post.text == f"{digest.title} · P0 m: every request failed &lt;!here&gt; · P1 m: temp drifted"
    head, named, do = texts(post)
    assert (head, named.splitlines()[1], do) == (
        digest.title,
        "P1 m: temp drifted",
        "*Do* `driftline incident ls --all`",
    )
    assert "dedup_key" not in post.content["metadata"]["event_payload"]
    assert channel.deliver(told(doubt=True), FIRING).thread != f"{post.channel}:{post.ts}"


@pytest.mark.parametrize("words", ["x" * 9_000, "<!channel>" * 900, "&" * 9_000, "<@U1>\u202e"])
def test_a_digest_is_within_slacks_limits_and_rings_nobody(
    channel: Slack, workspace: Recording[RecordingSlack], words: str
) -> None:
    digest = replace(RESOLVED, title=words, history=(words,) * 21)
    assert channel.deliver(told("digest"), digest).outcome == "ok"
    assert (len(workspace.vendor.roots("#ml-p1")), workspace.vendor.pings) == (1, [])


def test_a_root_that_somebody_deleted_is_posted_anew(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    thread = opened(channel)
    workspace.vendor.messages.clear()
    workspace.vendor.messages.append(Posted("C0", "1", {}))
    receipt = channel.deliver(told("update", thread=thread), FIRING)
    assert receipt.outcome == "ok"
    assert receipt.thread not in (None, thread)


def test_names_from_events_ring_nobody_and_break_nothing(channel: Slack, workspace: Recording[RecordingSlack]) -> None:
    wild = "<!channel>\n<@U1>\u202e`<!here|x> & co\ud800\x07"
    message = replace(
        FIRING, title=wild, cause=wild, why=wild, owner=wild, models=(wild,), links=(wild,), history=(wild,), incident=wild,
        acknowledged_by=wild, members=(replace(TEMP, subject=wild, rule=wild, window=wild),),
    )  # fmt: skip
    thread = opened(channel)
    for kind in ("open", "update", "close", "note"):
        assert channel.deliver(told(kind, thread=thread if kind != "open" else None), message).outcome == "ok"
    assert workspace.vendor.pings == []
    shown = str([m.content for m in workspace.vendor.messages])
    assert "&lt;!channel&gt; &lt;@U1&gt;" in shown
    assert not {"\u202e", "\x07", "\ud800"} & set(shown)
    assert "&amp;lt;" not in shown
    assert {block["text"].get("verbatim") for m in workspace.vendor.messages for block in m.content["blocks"] if
            block["type"] == "section"} == {True}  # fmt: skip


@pytest.mark.parametrize("letter", ["x", "<", "&", "😀"])
def test_a_message_is_within_slacks_limits_whatever_the_names_are(
    channel: Slack, workspace: Recording[RecordingSlack], letter: str
) -> None:
    long = letter * 9_000
    message = replace(
        FIRING, title=long, cause=long, why=long, owner=long, incident=long, links=(long,) * 30, history=(long,) * 99,
        members=(replace(TEMP, subject=long, rule=long),) * 99,
    )  # fmt: skip
    thread = opened(channel)
    for kind in ("open", "update", "close", "note"):
        assert channel.deliver(told(kind, thread=thread if kind != "open" else None), message).outcome == "ok"
    [header] = {m.content["blocks"][0]["text"]["text"] for m in workspace.vendor.roots() if
                m.content["blocks"][0]["type"] == "header" and letter * 2 in m.text.replace("&lt;", "<").replace("&amp;", "&")
                and "FIRING" in m.text}  # fmt: skip
    assert 140 < len(header) <= 150
    assert header.endswith("…")
