"""One GPU under watch: asked question by question, each with a deadline, remembering what it does not answer.

A question that is not supported or not allowed is asked again seldom.  A GPU that is lost gives up its handle, which is asked for
anew by its UUID.  What went wrong is a state of the readings, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from stream.gpu.lane import Lane
from stream.gpu.library import QUESTIONS, Answer, Cause, Handle, Nvml, NvmlTrouble, Question
from stream.gpu.sample import GpuState, Readings

#: A call that has not returned by then hangs.  A GPU without persistence takes a second or two to wake.
CALL_WITHIN_S = 5.0
#: What is not supported may be after a change of drivers, what is not allowed after one of permissions.
ASK_AGAIN_S = 600.0
REMEMBERED: frozenset[Cause] = frozenset({"not_supported", "no_permission"})
#: After these the GPU is not asked further questions in this look.
ENDS: dict[Cause, GpuState] = {"hanging": "hanging", "lost": "lost", "no_driver": "lost"}


@dataclass(slots=True)
class _Look:
    """What one look has found so far."""

    answers: dict[str, object] = field(default_factory=dict)
    unanswered: dict[Question, Cause] = field(default_factory=dict)
    happened: list[Cause] = field(default_factory=list)
    state: GpuState = "ok"


class Watched:
    """``look`` asks everything once.  ``lane`` is that of the GPU's index, and None while it has none."""

    def __init__(self, nvml: Nvml, uuid: str, *, call_within_s: float = CALL_WITHIN_S) -> None:
        self._nvml = nvml
        self.uuid = uuid
        self.gpu = ""
        self.name = ""
        self.lane: Lane | None = None
        self.state: GpuState = "ok"
        self._within_s = call_within_s
        self._handle: Handle = None
        self._deaf: dict[Question, tuple[Cause, float]] = {}

    def place(self, index: int, lane: Lane) -> None:
        """It was found at this index: its handle may be another one than before."""
        self.gpu, self.lane, self._handle = str(index), lane, None

    def gone(self) -> None:
        """NVML was ended, or lists it no more: until it is placed again, it is lost."""
        self.lane, self._handle = None, None

    async def look(self, *, now_s: float, at_ms: int) -> tuple[Readings, list[Cause]]:
        """The readings, and the causes of the calls that were not answered (what is not asked is no call)."""
        look = _Look()
        if self.lane is None:
            look.state = "lost"
        else:
            await self._ask_all(look, self.lane, now_s=now_s)
        self.state = look.state
        if look.state == "lost":
            self._handle = None
        return self._readings(look, at_ms), look.happened

    def _readings(self, look: _Look, at_ms: int) -> Readings:
        return Readings(
            gpu=self.gpu,
            uuid=self.uuid,
            name=self.name,
            timestamp_ms=at_ms,
            state=look.state,
            answers=look.answers,
            unanswered=look.unanswered,
        )

    async def _ask_all(self, look: _Look, lane: Lane, *, now_s: float) -> None:
        if not await self._has_handle(look, lane):
            return
        for question in QUESTIONS:
            cause, again_s = self._deaf.get(question, (None, 0.0))
            if cause is not None and now_s < again_s:
                look.unanswered[question] = cause
                continue
            await self._ask(question, look, lane, now_s=now_s)
            if look.state != "ok":
                return
        if not look.answers:
            look.state = "unreadable"

    async def _has_handle(self, look: _Look, lane: Lane) -> bool:
        if self._handle is None:
            try:
                self._handle = await lane.ask(partial(self._nvml.handle, self.uuid), within_s=self._within_s)
                self.name = await lane.ask(partial(self._nvml.name, self._handle), within_s=self._within_s)
            except NvmlTrouble as trouble:
                look.happened.append(trouble.cause)
                look.state = ENDS.get(trouble.cause, "unreadable" if self._handle is None else "ok")
        return look.state == "ok"

    async def _ask(self, question: Question, look: _Look, lane: Lane, *, now_s: float) -> None:
        try:
            answer: Answer = await lane.ask(partial(self._nvml.ask, self._handle, question), within_s=self._within_s)
        except NvmlTrouble as trouble:
            look.happened.append(trouble.cause)
            look.unanswered[question] = trouble.cause
            look.state = ENDS.get(trouble.cause, "ok")
            if trouble.cause in REMEMBERED:
                self._deaf[question] = (trouble.cause, now_s + ASK_AGAIN_S)
        else:
            self._deaf.pop(question, None)
            look.answers.update(answer)
