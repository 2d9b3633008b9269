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
        return self.all_panes(stream, partition) + panes_of_block(model, layout=layout, block=block)

    def all_panes(self, stream: str, partition: int) -> str:
        """What the keys of all panes of a partition begin with."""
        return self.key(_tag(stream, partition), "panes")

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

    def revised(self, stream: str, partition: int) -> str:
        """Hash: panes of a partition that evaluation may not have seen as they are, and how often that was noted."""
        return self.key(_tag(stream, partition), "revised")

    def lease(self, shard: int) -> str:
        """String: who evaluates a shard of the models, until it expires."""
        return self.key("evaluation", "lease", str(shard))

    @property
    def lease_tokens(self) -> str:
        """Hash: shard -> the fencing token that was given out last."""
        return self.key("evaluation", "tokens")

    @property
    def workers(self) -> str:
        """Sorted set: workers that evaluate, by when they last said so (ms)."""
        return self.key("evaluation", "workers")

    def instance(self, name: str) -> str:
        """String: the worker that has this name across restarts; gone when it has not said so for five seconds."""
        return self.key("instance", name)

    def model_state(self, model: str) -> str:
        """Hash for people: how a model is."""
        return self.key("model", model, "state")

    def evaluation(self, model: str, stream: str) -> str:
        """Hash: how far a model's stream is evaluated, under which token, and its charts."""
        return self.of_model(model, "evaluation", stream)

    def closed(self, model: str, stream: str, *, layout: str, tier: str, block: int) -> str:
        """Hash of merged closed panes of a tier (``pane``, ``1h``, ``1d``) for one block of time."""
        return self.of_model(model, "closed", stream, layout[:16], tier, str(block))

    def report(self, model: str, window: str) -> str:
        """Hash for people: the newest report of a window."""
        return self.of_model(model, "report", window)

    def history(self, model: str, window: str) -> str:
        """Capped Redis stream: the reports of a window, oldest first."""
        return self.of_model(model, "history", window)

    def outbox(self, model: str) -> str:
        """Redis stream: messages for Kafka that evaluation has concluded and the relay has not sent yet."""
        return self.of_model(model, "outbox")

    def release(self, model: str) -> str:
        """Hash for people: where the model's release stands."""
        return self.of_model(model, "release")

    def decisions(self, model: str) -> str:
        """Capped Redis stream: what was decided of the model's releases, oldest first."""
        return self.of_model(model, "release", "decisions")

    def totals(self, model: str) -> str:
        """Hash: the model's cumulative sums, which its Prometheus series are exported from."""
        return self.of_model(model, "totals")

    def updated(self, model: str) -> str:
        """Sorted set: ``<stream>:<feature>`` by the event time of its newest value (ms)."""
        return self.of_model(model, "updated")

    def unregistered(self, model: str) -> str:
        """Hash: features that the model's events hold and nobody declared, by when they were last seen (ms)."""
        return self.of_model(model, "unregistered")

    def of_model(self, model: str, *parts: str) -> str:
        """A key in the model's slot: all that one evaluation script writes."""
        return self.key(f"{{model:{model}}}", *parts)

    @property
    def retried(self) -> str:
        """Hash: dead letters whose events were sent again, and how."""
        return self.key("dlq", "retried")

    @property
    def replaying(self) -> str:
        """String: the replay into this environment that runs, by a token of its; gone two minutes after it was killed."""
        return self.key("replaying")

    @property
    def gpus(self) -> str:
        """Sorted set: GPUs (``<host>/<uuid>``) by when they were last heard of, event time (ms)."""
        return self.key("gpus")

    def of_gpu(self, gpu: str, part: str) -> str:
        """A key in a GPU's slot: its newest ``sample``, its ``history``.

        >>> Names().of_gpu("node-7/GPU-5a1c", "sample")
        'driftline:{gpu:node-7/GPU-5a1c}:sample'
        """
        return self.key(f"{{gpu:{gpu}}}", part)

    def incidents(self, *parts: str) -> str:
        """A key in the slot of the incident owner.

        >>> Names().incidents("documents")
        'driftline:{incidents}:documents'
        """
        return self.key("{incidents}", *parts)


def _tag(stream: str, partition: int) -> str:
    """Redis Cluster puts keys with the same text in braces into one slot."""
    return f"{{{stream}:{partition}}}"


def panes_of_block(model: str, *, layout: str, block: int) -> str:
    """What the key of a block of panes ends with, whatever their partition."""
    return f":{model}:{layout[:16]}:{block}"
