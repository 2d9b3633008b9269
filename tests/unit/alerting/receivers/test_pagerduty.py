"""PagerDuty by its real client against a recording one: what is sent, and what each answer means for the register."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.messages.place import Place
from alerting.receivers import pagerduty
from alerting.receivers.pagerduty import PagerDuty
from alerting.receivers.secrets import Secret
from schemas.monitored import SecretPlace
from stream.local.receivers.exchange import answering, dropped, hanging, lost
from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty, refusing
from stream.local.receivers.serving import Recording
from tests.support.incident_messages import FIRING, RESOLVED, TEMP, call

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def vendor() -> Iterator[Recording[RecordingPagerDuty]]:
    with recording_pagerduty() as found:
        yield found


@pytest.fixture
def receiver(vendor: Recording[RecordingPagerDuty], tmp_path: Path) -> PagerDuty:
    return made(vendor.url, tmp_path)


def made(url: str, folder: Path, key: str = KEY) -> PagerDuty:
    (folder / "key").write_text(f"{key}\n")
    secret = Secret(SecretPlace(file=str(folder / "key")), "receivers.oncall.pagerduty.routing_key")
    return PagerDuty(secret, url=url, place=Place("prod", "http://127.0.0.1:8789/"))


def sent(vendor: Recording[RecordingPagerDuty]) -> Any:
    return vendor.received[-1].body


def test_an_opening_triggers_with_the_calls_key_and_says_what_matters(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]
) -> None:
    assert receiver.deliver(call(), FIRING).outcome == "ok"
    event, payload = sent(vendor), sent(vendor)["payload"]
    assert (event["event_action"], event["dedup_key"]) == ("trigger", "INC-7:1")
    assert payload["severity"] == "error"
    assert payload["summary"].startswith(
        "P1 flight-delay · 2 features drifted (PSI 0.41) · cause: source:noaa-feed (92 %) · began between 2012"
    )
    assert payload["source"] == "flight-delay@prod"
    assert (payload["component"], payload["class"]) == ("flight-delay/temp", "psi")
    assert payload["group"] == "source:noaa-feed"
    assert event["client_url"] == "http://127.0.0.1:8789/incidents/INC-7"
    assert event["links"] == [{"href": event["client_url"], "text": "Incident in the console"}]


def test_details_are_flat_and_their_numbers_are_numbers(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]
) -> None:
    odd = replace(TEMP, value=float("nan"), threshold=float("inf"))
    receiver.deliver(call(), replace(FIRING, members=(TEMP, odd)))
    details = sent(vendor)["payload"]["custom_details"]
    assert (details["1_value"], details["1_limit"], details["1_n"]) == (0.4137, 0.25, 19_874)
    assert {"2_value", "2_limit"} & set(details) == set()
    assert {type(value) for value in details.values()} == {str, int, float}
    assert details["what_to_do"] == "driftline incident show INC-7; driftline incident ack INC-7"
    assert (details["since_after"], details["since_by"]) == ("2012-12-31T10:15:00Z", "2013-01-01T10:15:00Z")


@pytest.mark.parametrize(
    ("severity", "theirs"), [("P0", "critical"), ("P1", "error"), ("P2", "warning"), ("P3", "info")]
)
def test_severities(receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], severity: str, theirs: str) -> None:
    assert receiver.deliver(call(severity=severity), FIRING).outcome == "ok"
    assert sent(vendor)["payload"]["severity"] == theirs


def test_an_update_and_a_doubtful_opening_ring_nobody_again(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]
) -> None:
    for told in (call(), call("update"), call(doubt=True)):
        assert receiver.deliver(told, FIRING).outcome == "ok"
    assert vendor.vendor.rings == 1
    assert len(vendor.vendor.incidents[0].events) == 3


def test_a_close_resolves_and_says_why_and_how_long(receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]) -> None:
    receiver.deliver(call(), FIRING)
    assert receiver.deliver(call("close"), RESOLVED).outcome == "ok"
    assert vendor.vendor.open_keys() == []
    assert vendor.vendor.rings == 1
    details = sent(vendor)["payload"]["custom_details"]
    assert (details["why"], details["lasted"]) == ("recovered: 3 windows in a row are clear", "3 d")
    assert details["1_peak"] == 0.52


def test_a_note_says_itself_beside_the_symptom(receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]) -> None:
    receiver.deliver(call("note", why="team (slack) cannot be told: is_archived"), FIRING)
    assert sent(vendor)["event_action"] == "trigger"
    assert sent(vendor)["payload"]["summary"].startswith(
        "P1 flight-delay · 2 features drifted (PSI 0.41) · team (slack) cannot be told: is_archived · cause"
    )


def test_an_event_is_within_pagerdutys_limits_whatever_the_names_are(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]
) -> None:
    wild = "<!channel>\n\u202e\ud800😀" * 20_000
    message = replace(
        FIRING, title=wild, cause=wild, why=wild, models=(wild,) * 50, members=(replace(TEMP, subject=wild, rule=wild),) * 90
    )  # fmt: skip
    assert receiver.deliver(call(dedup_key="k" * 400), message).outcome == "ok"
    assert len(sent(vendor)["dedup_key"]) == 255
    assert len(sent(vendor)["payload"]["summary"]) == 1024
    assert "\n" not in json.dumps(sent(vendor), ensure_ascii=False)
    assert receiver.deliver(call("close", dedup_key="k" * 400), message).outcome == "ok"
    assert vendor.vendor.open_keys() == []


def test_details_that_are_too_many_are_cut_and_counted(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerting.messages.pagerduty.EVENT_BYTES", 5_200)
    assert receiver.deliver(call(), replace(FIRING, members=(TEMP,) * 20)).outcome == "ok"
    details = sent(vendor)["payload"]["custom_details"]
    assert next(iter(details)) == "why"
    assert details["left_out"] > 100
    assert "20_subject" not in details


def test_400_is_for_good_and_says_what_pagerduty_said(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]
) -> None:
    vendor.fail_next(refusing("Event object is invalid", f"no service for {KEY}"))
    receipt = receiver.deliver(call(), FIRING)
    assert receipt.outcome == "permanent"
    assert receipt.why == "PagerDuty answered 400: Event object is invalid, no service for ***"


@pytest.mark.parametrize(("header", "wait"), [({}, 30.0), ({"Retry_After": "7"}, 7.0), ({"Retry_After": "soon"}, 30.0)])
def test_429_is_tried_once_and_says_how_long_to_wait(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], header: dict[str, str], wait: float
) -> None:
    vendor.fail_next(answering(429, {}, **header), times=2)
    started = time.monotonic()
    receipt = receiver.deliver(call(), FIRING)
    assert (receipt.outcome, receipt.retry_after_s) == ("retry", wait)
    assert len(vendor.received) == 1
    assert time.monotonic() - started < 1.5  # the library would sleep for three seconds first


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 302, 200])
def test_what_is_neither_accepted_nor_refused_is_tried_again_later(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], status: int
) -> None:
    vendor.fail_next(answering(status, Location="http://127.0.0.1:9/elsewhere"), times=3)
    assert receiver.deliver(call(), FIRING).outcome == "retry"
    assert len(vendor.received) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_takes_the_key_nowhere(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], status: int
) -> None:
    with recording_pagerduty() as other:
        vendor.fail_next(answering(status, Location=f"{other.url}/v2/enqueue"))
        receipt = receiver.deliver(call(), FIRING)
        assert (receipt.outcome, receipt.why) == ("retry", "PagerDuty did not answer (TooManyRedirects)")
        assert other.received == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_that_is_not_pagerdutys_own_is_asked_again_slowly(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], status: int
) -> None:
    """A proxy says 403 too, and a page is not given up for that."""
    vendor.fail_next(answering(status, {"error": "blocked"}))
    receipt = receiver.deliver(call(), FIRING)
    assert (receipt.outcome, receipt.retry_after_s) == ("retry", 60.0)


def test_a_connection_that_ends_without_an_answer_leaves_one_incident_after_the_next_try(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty]
) -> None:
    vendor.fail_next(dropped(), lost())
    outcomes = [receiver.deliver(call(doubt=doubt), FIRING).outcome for doubt in (False, True, True)]
    assert outcomes == ["retry", "retry", "ok"]
    assert vendor.vendor.rings == 1


def test_a_vendor_that_hangs_is_given_up(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pagerduty.OneTry.timeout == 10
    monkeypatch.setattr(pagerduty.OneTry, "timeout", 0.2)
    vendor.fail_next(hanging(30))
    receipt = receiver.deliver(call(), FIRING)
    assert (receipt.outcome, receipt.why) == ("retry", "PagerDuty did not answer (ReadTimeout)")


def test_nobody_there_is_tried_again_later(tmp_path: Path) -> None:
    with recording_pagerduty() as gone:
        url = gone.url
    receipt = made(url, tmp_path).deliver(call(), FIRING)
    assert (receipt.outcome, receipt.why) == ("retry", "PagerDuty did not answer (ConnectionError)")


def test_a_receiver_keeps_the_key_of_its_address_when_another_is_in_the_file(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], tmp_path: Path
) -> None:
    receiver.deliver(call(), FIRING)
    (tmp_path / "key").write_text("f" * 32)
    receiver.deliver(call("close"), RESOLVED)
    assert vendor.vendor.open_keys() == []
    assert vendor.vendor.lost == []


def test_the_key_is_shown_nowhere(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.fail_next(answering(401), answering(500), dropped(), refusing(KEY))
    said = [receiver.deliver(call(), FIRING).why for _ in range(5)]
    shown = "\n".join([*said, repr(receiver), str(vars(receiver)["address"]), caplog.text])
    assert KEY not in shown
    assert KEY[-4:] not in shown
    assert repr(receiver) == "PagerDuty(pagerduty:3eb1bd439947)"


def test_a_proxy_of_the_environment_is_not_between_us_and_a_recording_receiver(
    receiver: PagerDuty, vendor: Recording[RecordingPagerDuty], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert receiver.deliver(call(), FIRING).outcome == "ok"
