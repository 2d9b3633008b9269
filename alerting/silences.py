"""Silences: they mute openings and repeats of findings that all matchers match, and never a close.

A silence matches a finding's own labels and the incident's id.  What is inferred (severity, cause) is refused, because it may
change while the silence holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alerting.matchers import accepts, all_match, regex_problem, written
from schemas.actions import AddSilence, Matcher
from schemas.findings import KIND_CLASS, Finding
from schemas.incidents import SilenceView

LABELS = ("incident", "model", "feature", "source", "kind", "class", "rule", "window", "segment", "owner", "subject")
#: How long one may be, and the last time that has a date, in ms.
LONGEST, LAST = 365 * 86_400_000, 253_402_300_799_999
#: So many conditions one may have: each is looked at for each finding.
MOST = 20
INFERRED = ("severity", "cause")
_NAMES = ("q", "Z9", "7", "k-0_x.Y", "zqx-vwk")
#: By label, values that findings can have: a matcher that accepts them all leaves nothing out.  What a finding may lack is
#: also empty; a name may be any.
PROBES: dict[str, tuple[str, ...]] = {
    "incident": ("inc-0123456789", "inc-abcdef6789", "inc-0123456789-2"),
    "model": _NAMES,
    "kind": tuple(KIND_CLASS),
    "class": tuple(dict.fromkeys(KIND_CLASS.values())),
    "rule": _NAMES,
    "subject": tuple(f"{kind}{name}" for name in _NAMES for kind in ("model:", "feature:q/", "source:")),
    **dict.fromkeys(("feature", "source", "window", "segment", "owner"), ("", *_NAMES)),
}


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
    if action.ends - action.starts > LONGEST or action.ends > LAST:
        return "a silence is at most 365d long, and ends before the year 10000"
    if len(action.matchers) > MOST:
        return f"a silence of {len(action.matchers)} matchers; at most {MOST}: a regular expression may say several at once"
    for matcher in action.matchers:
        if matcher.label in INFERRED:
            return f"{matcher.label} is inferred and may change: silence by a finding's own labels or the incident's id"
        if matcher.label not in LABELS:
            return f"no finding has the label {matcher.label!r}; there are {', '.join(LABELS)}"
        problem = regex_problem(matcher)
        if problem:
            return problem
    return _too_wide(action.matchers)


def _too_wide(matchers: tuple[Matcher, ...]) -> str | None:
    """Why matchers leave nothing unmuted, or None.

    As Alertmanager does, one of them must not match the empty value; and one must leave out something that a finding can be.
    """
    said = " ".join(map(written, matchers)) or "none"
    needs = "a silence needs a matcher that not everything matches"
    if all(accepts(matcher, "") for matcher in matchers):
        return f"{needs}: {said} also matches a finding without the label"
    if all(accepts(matcher, value) for matcher in matchers for value in PROBES[matcher.label]):
        return f"{needs}: {said} matches every finding; say which model, feature or incident is meant"
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


def edge_passed(silences: Iterable[Silence], before: int, now: int) -> bool:
    """Whether one began or ended after ``before``, up to now."""
    return any(before < at <= now for silence in silences for at in (silence.starts, silence.ends))


def silence_view(silence: Silence) -> SilenceView:
    """The silence as it is listed."""
    texts = tuple(map(written, silence.matchers))
    return SilenceView(
        id=silence.id, matchers=texts, starts=silence.starts, ends=silence.ends, by=silence.by, comment=silence.comment
    )
