"""An Alertmanager that records what is posted: what is open, what is ended, and what its answers mean."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alerting.messages.place import Place
from alerting.policy import Clock
from alerting.receivers.alertmanager import Alertmanager
from alerting.receivers.secrets import Secret
from schemas.errors import ConfigError
from schemas.monitored import SecretPlace
from tests.support.incident_messages import FIRING, RESOLVED, SINCE, call

NOW = SINCE / 1000 + 3600
PLACE = Place("prod", "http://console:8789", "docs/runbooks")
DAY = 86_400
LABELS = {
    "alertname": "DriftlineIncident", "driftline_incident": "INC-7", "severity": "critical", "driftline_severity": "P1",
    "model": "flight-delay", "environment": "prod",
}  # fmt: skip


@dataclass
class Recorded:
    """What came, and what is answered."""

    url: str = ""
    posts: list[tuple[str, str | None, list[dict[str, Any]]]] = field(default_factory=list)
    status: int = 200
    body: str = ""


@pytest.fixture
def vendor() -> Iterator[Recorded]:
    found = Recorded()

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.append((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(found.status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(found.body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/am/"
    yield found
    server.shutdown()
    server.server_close()


def made(url: str, secret: Secret | None = None, clock: Clock = "live") -> Alertmanager:
    return Alertmanager(url, secret, key="receivers.prom.alertmanager.url", place=PLACE, clock=clock, now=lambda: NOW)


def test_an_opening_posts_an_alert_that_lasts_a_day(vendor: Recorded) -> None:
    shown = replace(FIRING, members=(replace(FIRING.members[0], kind="drift"),))
    receipt = made(vendor.url).deliver(call(at="alertmanager"), shown)
    [(path, token, [alert])] = vendor.posts
    assert (path, token) == ("/am/api/v2/alerts", None)
    assert alert["labels"] == LABELS
    assert (alert["startsAt"], alert["endsAt"]) == ("2013-01-01T10:15:00.000Z", "2013-01-02T11:15:00.000Z")
    assert alert["generatorURL"] == "http://console:8789/incidents/INC-7"
    assert alert["annotations"]["cause"] == "source:noaa-feed (92 %)"
    assert alert["annotations"]["runbook"] == "docs/runbooks/drift.md"
    assert "flight-delay/temp: psi 0.414 (limit 0.25), n 19 874, window day" in alert["annotations"]["description"]
    assert receipt.outcome == "ok"
    assert json.loads(receipt.thread or "") == LABELS


def test_a_close_ends_the_alert_that_was_posted_when_the_incident_was_over(vendor: Recorded) -> None:
    before = json.dumps(LABELS | {"model": "as it was"})
    over = replace(RESOLVED, ended=SINCE + 600_000)
    assert made(vendor.url).deliver(call("close", at="alertmanager", thread=before), over).thread is None
    [(_, _, [alert])] = vendor.posts
    assert alert["labels"]["model"] == "as it was"
    assert (alert["startsAt"], alert["endsAt"]) == ("2013-01-01T10:15:00.000Z", "2013-01-01T10:25:00.000Z")


@pytest.mark.parametrize("ended", [None, SINCE + 7_200_000])
def test_an_end_lies_in_the_past_also_by_a_clock_that_is_behind(vendor: Recorded, ended: int | None) -> None:
    made(vendor.url).deliver(call("close", at="alertmanager"), replace(RESOLVED, ended=ended))
    [(_, _, [alert])] = vendor.posts
    assert alert["endsAt"] == "2013-01-01T11:14:00.000Z"


def test_what_begins_now_ends_no_earlier_than_it_begins(vendor: Recorded) -> None:
    made(vendor.url).deliver(
        call("close", at="alertmanager"), replace(RESOLVED, since_hi=int(NOW * 1000) + 5, ended=SINCE)
    )
    [(_, _, [alert])] = vendor.posts
    assert alert["startsAt"] == alert["endsAt"] == "2013-01-01T11:14:00.000Z"


def test_a_worsening_ends_the_alert_of_the_severity_before(vendor: Recorded) -> None:
    worse = call("update", at="alertmanager", severity="P0", thread=json.dumps(LABELS))
    made(vendor.url).deliver(worse, replace(FIRING, severity="P0"))
    [(_, _, alerts)] = vendor.posts
    assert [(one["labels"]["driftline_severity"], one["endsAt"][:10]) for one in alerts] == [
        ("P0", "2013-01-02"), ("P1", "2013-01-01"),
    ]  # fmt: skip


def test_the_same_again_is_one_alert_and_a_doubtful_opening_leaves_none_of_another_severity(vendor: Recorded) -> None:
    receiver = made(vendor.url)
    receiver.deliver(call("update", at="alertmanager", thread=json.dumps(LABELS)), FIRING)
    receiver.deliver(call(at="alertmanager", doubt=True), FIRING)
    assert [len(alerts) for _, _, alerts in vendor.posts] == [1, 4]


def test_what_may_have_arrived_is_ended_with_the_rest(vendor: Recorded) -> None:
    """An answer is lost, and before it is tried again two incidents are merged: the labels are others by then."""
    receiver = made(vendor.url)
    vendor.status = 503
    worse = call("update", at="alertmanager", severity="P0", thread=json.dumps(LABELS))
    thread = receiver.registered(worse, replace(FIRING, severity="P0"))
    assert receiver.deliver(worse, replace(FIRING, severity="P0")).thread is None
    vendor.status = 200
    merged = replace(FIRING, severity="P0", models=("flight-delay", "flight-price"))
    receipt = receiver.deliver(call("update", at="alertmanager", severity="P0", thread=thread), merged)
    told = [
        (one["labels"]["model"], one["labels"]["driftline_severity"], one["endsAt"][:10]) for one in vendor.posts[1][2]
    ]
    assert told == [
        ("flight-delay, flight-price", "P0", "2013-01-02"),
        ("flight-delay", "P1", "2013-01-01"),
        ("flight-delay", "P0", "2013-01-01"),
    ]
    assert isinstance(json.loads(receipt.thread or ""), dict), "and with an answer only one is there"
    receiver.deliver(call("close", at="alertmanager", thread=thread), RESOLVED)
    assert [one["endsAt"][:10] for one in vendor.posts[2][2]] == ["2013-01-01"] * 2


def test_what_is_about_to_be_posted_is_told_before_it_is() -> None:
    receiver, thread = made("http://127.0.0.1:1"), json.dumps(LABELS)
    assert json.loads(receiver.registered(call(at="alertmanager"), FIRING) or "") == [LABELS]
    same = call("update", at="alertmanager", thread=thread)
    assert receiver.registered(same, FIRING) == thread, "the same again is nothing new"
    merged = replace(FIRING, models=("flight-delay", "flight-price"))
    assert json.loads(receiver.registered(same, merged) or "") == [
        LABELS, LABELS | {"model": "flight-delay, flight-price"},
    ]  # fmt: skip
    assert receiver.registered(call("close", at="alertmanager", thread=thread), RESOLVED) is None


def test_a_later_generation_is_another_alert(vendor: Recorded) -> None:
    made(vendor.url).deliver(call(at="alertmanager", generation=2, dedup_key="INC-7:2"), FIRING)
    [(_, _, [alert])] = vendor.posts
    assert alert["labels"]["driftline_incident"] == "INC-7:2"


def test_a_token_goes_along_and_is_never_shown(vendor: Recorded, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    receiver = made(vendor.url, Secret(SecretPlace(file=str(tmp_path / "token")), "receivers.prom.alertmanager.token"))
    vendor.status, vendor.body = 400, "bad s3cret"
    receipt = receiver.deliver(call(at="alertmanager"), FIRING)
    assert vendor.posts[0][1] == "Bearer s3cret"
    assert (receipt.outcome, receipt.why) == ("permanent", "Alertmanager answered 400: bad ***")
    assert "s3cret" not in repr(receiver)


@pytest.mark.parametrize(
    ("status", "outcome", "after_s"),
    [(429, "retry", 7.0), (500, "retry", None), (302, "retry", None), (404, "retry", 60.0)],
)
def test_what_answers_mean(vendor: Recorded, status: int, outcome: str, after_s: float | None) -> None:
    vendor.status = status
    receipt = made(vendor.url).deliver(call(at="alertmanager"), FIRING)
    assert (receipt.outcome, receipt.retry_after_s) == (outcome, after_s)
    assert len(vendor.posts) == 1


def test_nobody_there_is_tried_again() -> None:
    assert made("http://127.0.0.1:1").deliver(call(at="alertmanager"), FIRING).outcome == "retry"


def test_where_it_may_be() -> None:
    assert made("http://alertmanager:9093").address == "alertmanager:alertmanager:9093"
    with pytest.raises(ConfigError, match="a replay never reaches"):
        made("http://alertmanager:9093", clock="event")
    with pytest.raises(ConfigError, match="https"):
        made("http://alertmanager:9093", Secret(SecretPlace(env="NOBODY"), "x"))
    with pytest.raises(ConfigError, match="no plain"):
        made("ftp://alertmanager")
