"""Every topic, consumer group and Redis key of a deployment, spelled in one place.

A deployment has one environment; its name prefixes them all, so two environments share a broker and a Redis
without meeting.  Nothing outside this file writes such a name by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Stream = Literal["predictions", "labels", "features", "serving"]

#: The streams that producers write, in the order in which tables show them.
TOPICS_IN: tuple[Stream, ...] = get_args(Stream)
#: What driftline itself writes for others, and what it keeps for itself.
TOPICS_OUT = ("drift-reports", "incidents", "dead-letters", "releases")
TOPICS_INSIDE = ("joins", "findings", "actions", "config")

_APPLICATION = "driftline"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one environment; the empty environment has no prefix.

    >>> Names("staging").topic("predictions"), Names().topic("predictions")
    ('staging.predictions', 'predictions')
    >>> Names("staging").offset("predictions", 3)
    'driftline:staging:{predictions:3}:offset'
    """

    environment: str = ""

    def topic(self, name: str) -> str:
        """The Kafka topic of a stream, or of any other topic of ours."""
        return f"{self.environment}.{name}" if self.environment else name

    def stream_of(self, topic: str) -> Stream:
        """The stream that a topic carries.

        :raises ValueError: it is not one of this environment's four inputs.
        """
        for stream in TOPICS_IN:
            if topic == self.topic(stream):
                return stream
        raise ValueError(f"{topic!r} is none of {', '.join(map(self.topic, TOPICS_IN))}")

    @property
    def group(self) -> str:
        """The consumer group, also the Faust application's id."""
        return f"{_APPLICATION}-{self.environment}" if self.environment else _APPLICATION

    def key(self, *parts: str) -> str:
        """A Redis key: the prefix and the parts, joined by colons."""
        prefix = (_APPLICATION, self.environment) if self.environment else (_APPLICATION,)
        return ":".join(prefix + parts)

    def offset(self, stream: str, partition: int) -> str:
        """Hash: how far a source partition is counted, and under which epoch."""
        return self.key(_tag(stream, partition), "offset")

    def panes(self, stream: str, partition: int, *, model: str, layout: str, block: int) -> str:
        """Hash of stored panes of one model, for one block of time that begins at ``block`` (epoch ms).

        ``layout`` is the hash of the panes' layout; its first 16 digits name it.  The slot is the
        partition's, so one script writes panes and offset together.
        """
        return self.key(_tag(stream, partition), "panes", model, layout[:16], str(block))

    @property
    def config(self) -> str:
        """Hash: the generation in force and its document."""
        return self.key("config")

    def reference(self, digest: str) -> str:
        """String: a reference by the SHA-256 of its content."""
        return self.key("reference", digest)

    def layouts(self, model: str) -> str:
        """Hash: the layouts in which panes of a model have been stored."""
        return self.key("model", model, "layouts")

    def partitions(self, stream: str) -> str:
        """Hash: partition -> who reads it, and when that was last said."""
        return self.key("topic", stream, "partitions")


def _tag(stream: str, partition: int) -> str:
    """Redis Cluster puts keys with the same text in braces into one slot."""
    return f"{{{stream}:{partition}}}"
