"""Which Kafka answers, by the versions of requests that it takes: brokers do not say what they are.

librdkafka asks for them when it connects, over whatever the settings say (SASL, TLS), and says them in its log alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from confluent_kafka.admin import AdminClient

from schemas.settings import Settings
from stream.command.connect import ANSWER_WITHIN_S, command_options

_TAKES = re.compile(r"ApiKey (\w+) \(\d+\) Versions (\d+)\.\.(\d+)")
#: The first release whose brokers take this version of a request, the newest first.
LANDMARKS = (
    ("4.1", "Produce", 13), ("4.0", "Produce", 12), ("3.9", "Fetch", 17), ("3.8", "Produce", 11), ("3.7", "Fetch", 16),
    ("3.5", "Fetch", 15), ("3.1", "Fetch", 13), ("2.8", "Metadata", 11), ("2.4", "Metadata", 9),
)  # fmt: skip
#: With topics' ids, by which one that was made anew is known.
OLDEST = "2.8"
_POLL_S = 0.2


def taken_requests(settings: Settings) -> dict[str, int]:
    """The newest version of each request that the broker takes; empty where the client does not say.

    :raises KafkaException: Kafka does not answer.
    """
    heard = _Heard()
    logger = logging.Logger("driftline.kafka.version", logging.DEBUG)
    logger.addHandler(heard)
    admin = AdminClient(command_options(settings, debug="feature", log_level=7), logger=logger)
    admin.list_topics(timeout=ANSWER_WITHIN_S)
    admin.poll(_POLL_S)
    return heard.newest


def release_of(newest: Mapping[str, int]) -> str | None:
    """The release that takes these, as far as that shows; None: an older one than any that is known here.

    >>> release_of({"Produce": 13, "Fetch": 18}), release_of({"Produce": 10, "Fetch": 16}), release_of({"Produce": 7})
    ('4.1', '3.7', None)
    """
    return next((release for release, request, least in LANDMARKS if newest.get(request, -1) >= least), None)


def is_old(release: str | None) -> bool:
    """Whether it is older than what topics' ids need.

    >>> is_old("2.4"), is_old("3.9"), is_old(None)
    (True, False, True)
    """
    releases = [one for one, _, _ in LANDMARKS]
    return release is None or releases.index(release) > releases.index(OLDEST)


class _Heard(logging.Handler):
    """Takes from the client's log what the broker takes, and lets go of all else."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        found = _TAKES.search(record.getMessage())
        if found is not None:
            # Of several brokers the oldest counts.
            self.newest[found[1]] = min(int(found[3]), self.newest.get(found[1], int(found[3])))
