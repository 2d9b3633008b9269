"""Notifications as findings: who is meant, how grave it is, when it began, and what is refused."""

from __future__ import annotations

import json

import pytest

from schemas.findings import Finding, Onset, decode, encode
from stream.webhook.alerts import BadWebhook, Taken, taken
from tests.support.alertmanager import BEGAN_MS, YEAR_1, alert, notification

AT = BEGAN_MS + 60_000
HOUR = 3_600_000


def of(*alerts: object, **changed: object) -> Taken:
    return taken(notification(*alerts, **changed), at_ms=AT, repeat_ms=HOUR)


def one(*alerts: object) -> Finding:
    [finding] = of(*alerts).findings
    return finding


def test_a_firing_alert_is_a_finding_of_the_class_serving() -> None:
    finding = one(alert(model="flight-delay"))

    assert finding.key == "external|flight-delay/0000000000000398||"
    assert (finding.state, finding.kind, finding.severity, finding.rule) == ("firing", "external", "P1", "QueueFull")
    assert (finding.model, finding.about) == ("alertmanager", "flight-delay")
    assert finding.subject == "alert:flight-delay/QueueFull/0000000000000398"
    assert finding.onset == Onset(BEGAN_MS, BEGAN_MS)
    assert (finding.at, finding.rev, finding.refresh_by) == (AT, (AT, 0), AT + HOUR)
    assert finding.labels["model"] == "flight-delay"
    assert finding.labels["class"] == "serving"
    assert finding.evidence == {
        "cause": "QueueFull since a while",
        "labels": "alertname=QueueFull, model=flight-delay, severity=critical",
        "generator": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": "0000000000000398",
    }
    assert decode(encode(finding)) == finding


def test_an_alert_without_a_model_is_alertmanagers() -> None:
    finding = one(alert("NodeDown"))
    assert finding.key.startswith("external|NodeDown/")
    assert finding.about is None
    assert finding.labels["model"] == "alertmanager"
    assert finding.subject.startswith("alert:alertmanager/NodeDown/")


@pytest.mark.parametrize(("label", "about"), [("model", "m"), ("model_name", "m"), ("service", None)])
def test_the_model_is_the_label_model_or_model_name(label: str, about: str | None) -> None:
    assert one(alert(**{label: "m"})).about == about


@pytest.mark.parametrize("name", ["", "a b", "x" * 101, "../etc", "{m}", "alertmanager"])
def test_what_no_model_can_be_called_is_none(name: str) -> None:
    assert one(alert(model=name)).about is None


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ({"severity": "critical"}, "P1"), ({"severity": "warning"}, "P2"), ({"severity": "info"}, "P3"),
        ({"severity": "Critical"}, "P1"), ({"severity": "P0"}, "P2"), ({"severity": "page"}, "P2"),
        ({"driftline_severity": "P0"}, "P0"), ({"driftline_severity": "P3"}, "P3"), ({"driftline_severity": "p0"}, "P1"),
    ],
)  # fmt: skip
def test_a_p0_only_where_it_is_asked_for_by_name(labels: dict[str, str], severity: str) -> None:
    assert one(alert(**labels)).severity == severity


def test_resolved_is_ok_under_the_same_key_and_a_later_revision() -> None:
    firing = one(alert())
    [over] = taken(notification(alert(status="resolved")), at_ms=AT + 1, repeat_ms=HOUR).findings
    assert (over.key, over.state, over.refresh_by) == (firing.key, "ok", None)
    assert over.rev > firing.rev


@pytest.mark.parametrize(
    "written", [YEAR_1, "", "soon", "2099-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9" * 9000]
)
def test_a_beginning_that_cannot_be_is_when_it_came(written: str) -> None:
    assert one(alert() | {"startsAt": written}).onset == Onset(AT, AT)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "http://" + "x" * 500])
def test_links_are_http_and_whole_or_not_there(url: str) -> None:
    assert "generator" not in one(alert() | {"generatorURL": url}).evidence


def test_names_and_texts_are_cut_and_cleaned() -> None:
    finding = one(alert("N" * 10_000, model="m", pod="p" * 10_000) | {"annotations": {"summary": "a\n\u202eb" * 9000}})
    assert finding.rule == "N" * 119 + "…"
    assert len(encode(finding)) < 2_500
    assert str(finding.evidence["cause"]).startswith("a ba b")


@pytest.mark.parametrize("fingerprint", ["", "x", "A" * 16, "5" * 17])
def test_a_fingerprint_that_is_none_is_made_of_the_labels(fingerprint: str) -> None:
    written = alert(pod="a") | {"fingerprint": fingerprint}
    other = alert(pod="b") | {"fingerprint": fingerprint}
    assert one(written).key == one(dict(reversed(written.items()))).key
    assert one(written).key != one(other).key


@pytest.mark.parametrize("labels", [{"driftline_incident": "inc-1"}, {"alertname": "DriftlineModelDrift"}])
def test_what_driftline_said_itself_is_not_taken_back(labels: dict[str, str]) -> None:
    found = of(alert(**labels) if "alertname" not in labels else alert(labels["alertname"]), alert("NodeDown"))
    assert [finding.rule for finding in found.findings] == ["NodeDown"]
    assert [(one.index, one.why) for one in found.refused] == [(0, "own")]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (7, "shape"), ({}, "shape"), ({"status": "firing", "labels": {"a": 1}}, "shape"),
        (alert() | {"annotations": None}, "shape"), (alert(status="suppressed"), "status"),
    ],
)  # fmt: skip
def test_an_alert_that_is_none_hurts_no_other(wrong: object, why: str) -> None:
    found = of(alert("A"), wrong, alert("B"))
    assert [finding.rule for finding in found.findings] == ["A", "B"]
    assert [(one.index, one.why) for one in found.refused] == [(1, why)]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b"7", json.dumps({"alerts": []}).encode(), notification(version="3"), b"[" * 100_000],
)
def test_what_is_no_notification_is_refused_whole(body: bytes) -> None:
    with pytest.raises(BadWebhook):
        taken(body, at_ms=AT, repeat_ms=HOUR)


def test_ten_thousand_alerts_and_what_was_left_out() -> None:
    found = of(
        *(alert(f"A{number}") | {"fingerprint": f"{number:016x}"} for number in range(10_000)), truncatedAlerts=5
    )
    assert (len(found.findings), found.truncated) == (10_000, 5)


def test_of_an_alert_that_stands_twice_the_last_word_counts() -> None:
    assert one(alert(), alert(status="resolved")).state == "ok"
