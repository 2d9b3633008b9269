"""Silences: they mute openings and repeats of findings that all matchers match, and never a close.

A silence matches a finding's own labels and the incident's id.  What is inferred (severity, cause) is refused, because it may
change while the silence holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alerting.matchers import accepts, all_match, regex_problem, written
from schemas.actions import AddSilence, Matcher
from schemas.findings import Finding
from schemas.incidents import SilenceView

LABELS = ("incident", "model", "feature", "source", "kind", "class", "rule", "window", "segment", "owner", "subject")
INFERRED = ("severity", "cause")


@dataclass(frozen=True, slots=True)
class Silence:
    """Holds from ``starts`` until ``ends``, by the owner's clock."""

    id: str
    matchers: tuple[Matcher, ...]
    starts: int
    ends: int
    by: str
    comment: str = ""

    def holds(self, now: int) -> bool:
        """Whether it is in force."""
        return self.starts <= now < self.ends


def silence_of(action: AddSilence) -> Silence:
    """The silence that an action asks for."""
    return Silence(action.silence, action.matchers, action.starts, action.ends, action.by, action.comment)


def silence_problem(action: AddSilence) -> str | None:
    """Why a silence is refused, in words, or None."""
    if action.ends <= action.starts:
        return "a silence must end after it starts"
    for matcher in action.matchers:
        if matcher.label in INFERRED:
            return f"{matcher.label} is inferred and may change: silence by a finding's own labels or the incident's id"
        if matcher.label not in LABELS:
            return f"no finding has the label {matcher.label!r}; there are {', '.join(LABELS)}"
        problem = regex_problem(matcher)
        if problem:
            return problem
    if all(accepts(matcher, "") for matcher in action.matchers):
        return "a silence needs a matcher that not everything matches"
    return None


def silenced_until(silences: Iterable[Silence], labels: Mapping[str, str], now: int) -> int | None:
    """When the last of the silences in force that match ends; None: none does."""
    ends = (silence.ends for silence in silences if silence.holds(now) and all_match(silence.matchers, labels))
    return max(ends, default=None)


def silence_labels(finding: Finding, incident: str) -> dict[str, str]:
    """What silences may match of a finding in an incident."""
    return {name: value for name, value in finding.labels.items() if name != "severity"} | {"incident": incident}


def edges(silence: Silence, now: int) -> list[int]:
    """When it begins and ends, as far as that is still to come."""
    return [at for at in (silence.starts, silence.ends) if at > now]


def silence_view(silence: Silence) -> SilenceView:
    """The silence as it is listed."""
    texts = tuple(map(written, silence.matchers))
    return SilenceView(
        id=silence.id, matchers=texts, starts=silence.starts, ends=silence.ends, by=silence.by, comment=silence.comment
    )
