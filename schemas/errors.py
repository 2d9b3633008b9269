"""What can go wrong, by what there is to do about it.

::

    DriftlineError
    ├── ConfigError      a file or a variable to change: says where, which key, what is allowed
    ├── RejectedEvent    this event is refused, counted by reason, kept as a dead letter; on to the next
    ├── StoreError       stored bytes are not what we wrote, or of a format newer than this program
    └── Unavailable      Kafka or Redis does not answer: try again later
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Reason = Literal[
    "not_utf8",
    "not_json",
    "too_deep",
    "too_large",
    "tombstone",
    "not_an_event",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "seconds_time",
    "out_of_range_time",
    "future",
    "too_late",
    "unknown_model",
    "unknown_feature",
    "bad_columns",
]

#: Every reason for which an event is refused; a label value of metrics, so the list is closed.
REASONS: tuple[Reason, ...] = get_args(Reason)


class DriftlineError(Exception):
    """Anything that driftline raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct: where it is, and what is wrong with it.  Line 0: the place has no lines."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        """``FILE:LINE: key: message``, the form that editors jump to; what a terminal would obey in the key is escaped.

        >>> print(Problem("monitors.yaml", 7, "defaults.pane", "must be a duration such as 1h, not 'soon'"))
        monitors.yaml:7: defaults.pane: must be a duration such as 1h, not 'soon'
        """
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in self.key)
        return ": ".join(part for part in (place, key, self.message) if part)


class ConfigError(DriftlineError):
    """A file or a variable that a person has to change; prints one line per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class RejectedEvent(DriftlineError):
    """An event that the contract refuses.

    ``field`` is the dotted name of what is wrong, empty where it is the whole event.  ``detail`` says what is
    allowed and the type of what came, never its value: it ends in logs, and values may be personal data.
    """

    def __init__(self, reason: Reason, field: str, detail: str) -> None:
        self.reason: Reason = reason
        self.field = field
        self.detail = detail
        super().__init__(f"{reason}: {field}: {detail}" if field else f"{reason}: {detail}")


class StoreError(DriftlineError):
    """What is stored cannot be read: damaged, or of another format than this program knows."""


class Unavailable(DriftlineError):
    """A service we need does not answer."""
