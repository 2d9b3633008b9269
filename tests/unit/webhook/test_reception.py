"""The request: a token, a body of bounded size, and an answer that says whether to send again."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from schemas.errors import ConfigError, Unavailable
from schemas.findings import Finding, Progress
from schemas.settings import Settings
from stream.webhook.receive import PATH, Reception
from stream.webhook.run import application, token_of
from tests.support.alertmanager import alert, notification

TOKEN = {"Authorization": "Bearer s3cret"}


@dataclass
class Broker:
    """Takes what is published, unless it is away; ``token`` is what the requests need."""

    away: int = 0
    token: str = "s3cret"
    taken: list[Finding | Progress] = field(default_factory=list)

    def publish(self, messages: Sequence[Finding | Progress]) -> None:
        self.away -= 1
        if self.away >= 0:
            raise Unavailable("Kafka does not answer")
        self.taken += messages

    def read(self) -> str:
        if not self.token:
            raise ConfigError([])
        return self.token

    def asked(self, *bodies: bytes, headers: dict[str, str] = TOKEN) -> list[tuple[int, Any]]:
        """What these requests are answered, and after them the metrics."""
        return asyncio.run(self._asked(bodies, headers))

    async def _asked(self, bodies: Sequence[bytes], headers: dict[str, str]) -> list[tuple[int, Any]]:
        reception = Reception(self, token=self.read, repeat_ms=60_000, clock=lambda: 1_000)
        async with TestClient(TestServer(application(reception))) as client:
            answers = [await client.post(PATH, data=io.BytesIO(body), headers=headers) for body in bodies]
            found = [(answer.status, await answer.json()) for answer in answers]
            page = await client.get("/metrics")
            return [*found, (page.status, await page.text())]


def test_what_is_taken_is_at_the_broker() -> None:
    broker = Broker()
    [(status, told), _] = broker.asked(notification(alert(), 7, truncatedAlerts=2))
    assert (status, told["taken"], told["refused"], told["truncated"]) == (200, 1, 1, 2)
    assert told["why"][0].startswith("alerts[1]: shape: ")
    assert [type(one) for one in broker.taken] == [Finding]


@pytest.mark.parametrize("given", ["", "Bearer other", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3crét"])
def test_without_the_token_nothing_is_taken(given: str) -> None:
    broker = Broker()
    [(status, told), _] = broker.asked(notification(alert()), headers={"Authorization": given} if given else {})
    assert status == 401
    assert "s3cret" not in str(told)
    assert broker.taken == []


def test_an_absent_broker_makes_alertmanager_send_again() -> None:
    broker = Broker(away=1)
    answers = broker.asked(*[notification(alert())] * 2)
    assert [status for status, _ in answers[:2]] == [503, 200]
    assert len(broker.taken) == 1


def test_a_token_that_cannot_be_read_is_nobodys() -> None:
    [(status, _), _] = Broker(token="").asked(notification(alert()), headers={"Authorization": "Bearer "})
    assert status == 503


@pytest.mark.parametrize(
    ("body", "expected"), [(b"{", 400), (notification(version="5"), 400), (b" " * (1024 * 1024 + 1), 413)]
)
def test_what_will_never_be_taken_is_not_sent_again(body: bytes, expected: int) -> None:
    [(status, told), (_, metrics)] = Broker().asked(body)
    assert status == expected
    assert told["error"]
    assert f'driftline_webhook_requests_total{{status="{status}"}} 1.0' in metrics


def test_every_word_is_later_than_those_before() -> None:
    broker = Broker()
    broker.asked(*(notification(alert(status=status)) for status in ("firing", "resolved", "firing")))
    assert [one.rev for one in broker.taken if isinstance(one, Finding)] == [(1_000, 0), (1_001, 0), (1_002, 0)]


def test_time_passes_by_marks() -> None:
    broker = Broker()
    asyncio.run(Reception(broker, token=broker.read, repeat_ms=1, clock=lambda: 7).mark())
    assert broker.taken == [Progress(model="alertmanager", stream="webhook", at=7, seen=7)]


def test_it_does_not_start_without_a_token_or_in_a_replay(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DRIFTLINE_WEBHOOK_TOKEN"):
        token_of(Settings())
    with pytest.raises(ConfigError, match="DRIFTLINE_CLOCK"):
        token_of(Settings.model_validate({"webhook_token": "s", "clock": "event"}))
    with pytest.raises(ConfigError, match="does not exist"):
        token_of(Settings(webhook_token_file=str(tmp_path / "none")))


def test_a_token_of_the_environment_is_never_shown_and_one_of_a_file_is_followed(tmp_path: Path) -> None:
    settings = Settings.model_validate({"webhook_token": "s3cret"})
    assert token_of(settings)() == "s3cret"
    assert "s3cret" not in repr(settings)
    file = tmp_path / "token"
    file.write_text("one\n")
    read = token_of(Settings(webhook_token_file=str(file)))
    assert read() == "one"
    file.write_text("two")
    assert read() == "two"


def test_what_kafka_does_not_take_is_counted_alerts_and_the_mark_of_time_alike() -> None:
    *_, (_, page) = Broker(away=2).asked(notification(alert()), notification(alert()), notification(alert()))
    assert "driftline_webhook_publish_failures_total 2.0" in page
    broker = Broker(away=1)
    reception = Reception(broker, token=broker.read, repeat_ms=60_000, clock=lambda: 1_000)
    asyncio.run(reception.mark())
    assert reception.tally.unpublished == 1
    asyncio.run(reception.mark())
    assert (reception.tally.unpublished, len(broker.taken)) == (1, 1)


def test_a_token_that_cannot_be_read_is_not_kafkas_fault() -> None:
    [(status, _), (_, page)] = Broker(token="").asked(notification(alert()))
    assert status == 503
    assert "driftline_webhook_publish_failures_total 0.0" in page
