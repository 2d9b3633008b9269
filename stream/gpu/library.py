"""What the agent needs of NVML, as a small protocol, and the reasons for which NVML does not answer.

The real one is :mod:`stream.gpu.nvml`; :mod:`stream.gpu.recorded` plays a recording.  Any method may hang: whoever calls one
does so in a :class:`~stream.gpu.lane.Lane`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, get_args

#: Everything the agent asks of one GPU, in this order; each is one call, and one that fails costs no other.
Question = Literal[
    "utilization",
    "memory",
    "temperature",
    "memory_temperature",
    "power",
    "power_limit",
    "energy",
    "sm_clock",
    "memory_clock",
    "throttle_reasons",
    "ecc_corrected",
    "ecc_uncorrected",
    "processes",
    "mig_mode",
]
QUESTIONS: tuple[Question, ...] = get_args(Question)

#: Why NVML did not answer; a label value, so the list is closed.  ``hanging`` is said of a call that has not returned.
Cause = Literal["no_driver", "not_supported", "no_permission", "timeout", "lost", "mismatch", "hanging", "failed"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

#: Codes of ``nvmlReturn_t``.  What is not listed is ``failed``.
CODES: Mapping[int, Cause] = {
    1: "no_driver",  # uninitialised: the driver went away under us
    3: "not_supported",
    4: "no_permission",
    6: "lost",  # not found: no GPU of that UUID
    9: "no_driver",
    10: "timeout",
    12: "no_driver",  # no library
    13: "not_supported",  # no such function in this library
    15: "lost",
    16: "lost",  # has to be reset
    18: "mismatch",  # library and driver are of different releases
    25: "not_supported",  # no such version of a structure
    26: "not_supported",
    28: "lost",
}

Handle = Any
#: What a question was answered with: NVML's own units, which the names say, and nothing judged yet.
Answer = Mapping[str, object]


class NvmlTrouble(Exception):
    """NVML did not answer.

    >>> NvmlTrouble.of(15, "GPU is lost").cause, NvmlTrouble.of(999, "Unknown Error").cause
    ('lost', 'failed')
    """

    def __init__(self, cause: Cause, said: str) -> None:
        super().__init__(said)
        self.cause: Cause = cause
        self.said = said

    @classmethod
    def of(cls, code: int, said: str) -> NvmlTrouble:
        """By NVML's code and its words for it."""
        return cls(CODES.get(code, "failed"), said)


class Nvml(Protocol):
    """Every method raises :class:`NvmlTrouble`, and nothing else."""

    def begin(self) -> None:
        """Load the library and find the GPUs; where that was done already, nothing."""

    def end(self) -> None:
        """Forget all handles, so that the next ``begin`` finds the GPUs anew."""

    def driver(self) -> str:
        """The driver's version."""

    def count(self) -> int:
        """How many GPUs there are."""

    def uuid_at(self, index: int) -> str:
        """The UUID of the GPU that has this index now."""

    def handle(self, uuid: str) -> Handle:
        """What to ask by; it is void after a reset."""

    def name(self, handle: Handle) -> str:
        """What the GPU is called."""

    def ask(self, handle: Handle, question: Question) -> Answer:
        """One call."""

    def listen(self, uuids: Iterable[str]) -> tuple[Any, frozenset[str]]:
        """A set of events of critical errors (Xid), and the GPUs whose errors it will tell."""

    def next_xid(self, listening: Any, within_ms: int) -> tuple[str, object] | None:
        """The next error as (UUID, code); None where none came in time."""

    def close(self, listening: Any) -> None:
        """Listen no more."""
