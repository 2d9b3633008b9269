"""Why a scrape came to nothing: a closed list, for it is a label of metrics."""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal[
    "connect",
    "timeout",
    "redirect",
    "status",
    "content_type",
    "too_large",
    "truncated",
    "not_exposition",
    "bad_value",
    "duplicate",
    "bad_histogram",
    "implausible",
    "secret",
    "internal",
]

REASONS: tuple[Reason, ...] = get_args(Reason)


class Broken(Exception):
    """A scrape that is not taken; ``detail`` is for a person, and quotes nothing that a target sent but names."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason: Reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")
