"""What travels from the transport to counting: the records of one partition that one fetch returned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from faust.types import TP


class Record(Protocol):
    """What a consumed Kafka record offers; its place is that of its run and its offset."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in offset order, and the placement they were read under (see ``RunConsumer.place``)."""

    tp: TP
    placement: int
    records: list[Record]
