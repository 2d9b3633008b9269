"""Which silences are refused: those that mute everything, by whatever expression, and those on what is inferred."""

from __future__ import annotations

import pytest

from alerting.matchers import parse_matcher
from alerting.silences import LABELS, PROBES, silence_problem
from schemas.actions import AddSilence
from schemas.findings import KIND_CLASS

EMPTY = "also matches a finding without the label"
EVERYTHING = "matches every finding; say which model, feature or incident is meant"


def problem(*matchers: str, ends: int = 10) -> str:
    """Why these are refused; empty where they are not."""
    parsed = tuple(map(parse_matcher, matchers))
    return silence_problem(AddSilence(silence="s", matchers=parsed, starts=0, ends=ends, by="x", at=0)) or ""


@pytest.mark.parametrize(
    "matchers",
    [
        (), ('feature=~".*"',), ('feature=~".*|x"',), ('model=~"|x"',), ('model!="x"',), ('model!~"x"',),
        ('feature=""',), ('model=~".*"', 'feature!="temp"'), ('owner=~"(ann)?"',),
    ],
)  # fmt: skip
def test_one_matcher_must_not_match_the_empty_value(matchers: tuple[str, ...]) -> None:
    assert EMPTY in problem(*matchers)


@pytest.mark.parametrize(
    "matchers",
    [
        ('model=~".+"',), ('model!=""',), ('model=~".*[A-Za-z0-9].*"',), ('model=~"x|.+"',), ('rule!~""',), ('kind=~"..+"',),
        ('incident=~"inc-.*"',), ('incident=~".+"',), ('subject=~"(model|feature|source):.*"',), ('subject=~".*:.*"',),
        ('class=~".+"', 'model!=""'), ('model!=""', 'feature=~".*"'),
        (f'kind=~"{"|".join(KIND_CLASS)}"',),
    ],
)  # fmt: skip
def test_and_one_must_leave_something_out(matchers: tuple[str, ...]) -> None:
    assert EVERYTHING in problem(*matchers)


@pytest.mark.parametrize(
    "matchers",
    [
        ('model="m"',), ('model=~"flight.*"',), ('feature=~"temp|dewp"',), ('feature=~".+"',), ('kind="drift"',),
        ('kind=~"drift|error"',), ('incident="inc-0123456789"',), ('incident=~"inc-ab.*"',), ('subject=~"model:.*"',),
        ('owner!=""',), ('model=~".+"', 'feature="temp"'), ('model=~"[a-z]+"',),
    ],
)  # fmt: skip
def test_what_names_something_is_taken(matchers: tuple[str, ...]) -> None:
    assert problem(*matchers) == ""


def test_what_may_change_or_is_no_label_is_refused_in_words() -> None:
    assert problem('severity="P1"').startswith("severity is inferred and may change")
    assert problem('team="x"').startswith("no finding has the label 'team'; there are incident, model, feature,")
    assert problem('model="m"', ends=0) == "a silence must end after it starts"


def test_every_label_has_values_to_try() -> None:
    assert set(PROBES) == set(LABELS)


def test_a_silence_has_at_most_twenty_matchers() -> None:
    assert problem(*['model="m"'] * 20) == ""
    assert "a silence of 21 matchers; at most 20" in problem(*['model="m"'] * 21)
