"""NVML as a recording plays it: a JSON file with the answers of each GPU, in turn and from the start again.

For trying the agent, its dashboards and its faults where there is no GPU.  An answer may also be ``{"error": "not_supported"}``,
any cause of :mod:`stream.gpu.library`, or ``{"hangs_s": 3600}``, a call that returns after that time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import ConfigError, Problem
from stream.gpu.library import Answer, Cause, Handle, NvmlTrouble, Question


class RecordedGpu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One GPU; a question that is not among the ``answers`` is not supported."""

    uuid: str
    name: str
    answers: dict[Question, list[dict[str, Any]]]
    xids: list[int] = []


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file; ``about`` says where its numbers are from, and is printed by who plays it."""

    about: str
    driver: str
    gpus: list[RecordedGpu]


def read_recording(path: Path) -> Recording:
    """:raises ConfigError: the file cannot be read, or is no recording."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recording)
    except (OSError, msgspec.DecodeError) as error:
        said = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else f"is no recording: {error}"
        raise ConfigError([Problem(str(path), 0, "", said)]) from None


class Recorded:
    """A :class:`~stream.gpu.library.Nvml`; the n-th time that a question is asked of a GPU it gives the n-th answer."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._by_uuid = {gpu.uuid: gpu for gpu in recording.gpus}
        self._asked: Counter[tuple[str, str]] = Counter()

    def begin(self) -> None:
        """Nothing to do."""

    def end(self) -> None:
        """Nothing to do."""

    def driver(self) -> str:
        return self._recording.driver

    def count(self) -> int:
        return len(self._recording.gpus)

    def uuid_at(self, index: int) -> str:
        return self._recording.gpus[index].uuid

    def handle(self, uuid: str) -> Handle:
        return self._by_uuid[uuid]

    def name(self, handle: Handle) -> str:
        return str(handle.name)

    def ask(self, handle: Handle, question: Question) -> Answer:
        answers = handle.answers.get(question)
        if not answers:
            raise NvmlTrouble("not_supported", "not in the recording")
        answer: dict[str, Any] = answers[self._turn(handle.uuid, question) % len(answers)]
        if "hangs_s" in answer:
            time.sleep(answer["hangs_s"])
        if "error" in answer:
            raise _recorded_trouble(answer["error"])
        return answer

    def listen(self, uuids: Iterable[str]) -> tuple[Any, frozenset[str]]:
        return None, frozenset(uuids)

    def next_xid(self, listening: Any, within_ms: int) -> tuple[str, object] | None:
        for gpu in self._recording.gpus:
            if self._asked[gpu.uuid, "xid"] < len(gpu.xids):
                return gpu.uuid, gpu.xids[self._turn(gpu.uuid, "xid")]
        time.sleep(within_ms / 1000)
        return None

    def close(self, listening: Any) -> None:
        """Nothing to do."""

    def _turn(self, uuid: str, what: str) -> int:
        turn = self._asked[uuid, what]
        self._asked[uuid, what] += 1
        return turn


def _recorded_trouble(cause: str) -> NvmlTrouble:
    try:
        return NvmlTrouble(msgspec.convert(cause, Cause), "recorded")
    except msgspec.ValidationError:
        return NvmlTrouble("failed", f"recorded: {cause}")
