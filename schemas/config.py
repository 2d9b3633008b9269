"""The configuration in force: what ``apply`` publishes and every worker follows, by generation.

It is complete in itself (a worker needs no file): monitors with their defaults merged, and references by
the hash of their content.  A model's change takes effect at a pane boundary, so a model carries what was in
force before it too.
"""

from __future__ import annotations

from pydantic import Field, ValidationError

from schemas.errors import StoreError
from schemas.monitored import Frozen, GpuMonitor, ModelMonitor, ReceiverMonitor, RouteMonitor, SourceMonitor


class InForce(Frozen):
    """One model's reference (SHA-256 of its content) and monitor.

    They hold for panes that begin at ``from_ms`` or later (epoch ms; None: for all of them); panes that
    begin before belong to ``previous``, which is None where there was nothing before.  What is counted by version of a
    release changes over by itself, at ``arms_from_ms``, from what ``arms_previous`` says.
    """

    reference: str = Field(pattern=r"^[0-9a-f]{64}$")
    monitor: ModelMonitor
    from_ms: int | None = None
    previous: tuple[str, ModelMonitor] | None = None
    arms_from_ms: int | None = None
    arms_previous: tuple[str, ModelMonitor] | None = None


class Generation(Frozen):
    """Everything in force; ``number`` only grows, ``file_sha256`` is that of the monitors file."""

    number: int = Field(ge=1)
    applied_ms: int
    file_sha256: str
    models: dict[str, InForce]
    sources: dict[str, SourceMonitor] = Field(default_factory=dict)
    route: RouteMonitor = RouteMonitor()
    receivers: dict[str, ReceiverMonitor] = Field(default_factory=dict)
    gpus: GpuMonitor = GpuMonitor()

    @property
    def on_gpus(self) -> bool:
        """Whether a model says on which hosts' GPUs it is served."""
        return any(force.monitor.serving.gpus for force in self.models.values())

    def to_json(self) -> bytes:
        """The document as stored in Redis and published on the topic ``config``."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, document: bytes | str) -> Generation:
        """:raises StoreError: the document is damaged, or has keys of a newer program."""
        try:
            return cls.model_validate_json(document)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "document"
            raise StoreError(f"the stored configuration cannot be followed: {place}: {first['msg']}") from None
