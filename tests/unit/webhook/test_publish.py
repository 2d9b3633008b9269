"""Findings reach a topic that was made as the workers need it, or it is said that they do not."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import ConfigError, Unavailable
from schemas.findings import Progress
from stream.webhook.publish import Publisher

MARK = Progress(model="alertmanager", stream="webhook", at=1, seen=1)


class Producer:
    """Takes messages, and says that it has those that it ``has``."""

    def __init__(self, has: int) -> None:
        self.has, self.sent = has, list[tuple[Any, ...]]()

    def produce(self, *sent: Any, on_delivery: Any) -> None:
        self.sent.append(sent)
        if self.has:
            self.has -= 1
            on_delivery(None, None)

    def flush(self, _: float) -> None:
        """Nothing more comes."""


def test_the_topic_is_there_before_the_first_message() -> None:
    producer, made = Producer(2), list[int]()
    publisher = Publisher(producer, "findings", ensure=lambda: made.append(len(producer.sent)))  # type: ignore[arg-type]
    publisher.publish([MARK])
    publisher.publish([MARK])
    assert made == [0]
    assert [(sent[0], sent[2:]) for sent in producer.sent] == [("findings", (b"alertmanager", 0))] * 2


def test_a_topic_that_cannot_be_made_is_tried_again() -> None:
    tries = iter([ConfigError([]), None])

    def ensure() -> None:
        failed = next(tries)
        if failed is not None:
            raise failed

    producer = Producer(1)
    publisher = Publisher(producer, "findings", ensure=ensure)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        publisher.publish([MARK])
    assert producer.sent == []
    publisher.publish([MARK])


def test_what_the_broker_does_not_confirm_is_not_there() -> None:
    publisher = Publisher(Producer(1), "findings", ensure=lambda: None)  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="no answer"):
        publisher.publish([MARK, MARK])
