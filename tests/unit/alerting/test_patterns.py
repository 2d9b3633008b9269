"""An expression of a stranger is matched in a bounded time, or refused in words; nothing it says ends the owner."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.inputs import Tick
from alerting.matchers import parse_matcher, regex_problem
from alerting.patterns import LONGEST, SEEN, fits, pattern_problem
from schemas.actions import AddSilence, Matcher, Operator, decode, encode
from stream.incidents.answers import answer
from tests.unit.alerting.world import DAY, T0, World

SLOW = "may take too long to match: repeat nothing that is itself repeated or has alternatives"


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\w+_?)+x", "(a+)+", "(a*)*b", "(a|b|ab)*c", "(a|a){40}x", "(?:a{1,30}){1,30}", "(.+)+?x", "((ab?)*)*",
        "a?" * 40 + "a" * 40, r"\w*" * 4 + "x", "(?:a|ab)" * 30, "(?=(a+)+x)a", "(?:(?:(?:(?:){999}){999}){999}){999}",
        r"(?:(?:\b|x){900}){900}",
    ],
)  # fmt: skip
def test_what_could_freeze_the_owner_is_refused(pattern: str) -> None:
    assert SLOW in str(pattern_problem(pattern))


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("flight.*", "flight-delay"), (".*temp.*|.*dewp.*", "mean_temp_7d"), (r"w\d{1,2}(_lag)?", "w12_lag"),
        ("(temp|dewp|humid)_.*", "dewp_max"), (".+:.+/.+", "feature:a/w0"), ("(a|b)?[cd]*e{3}", "bccdeee"),
        ("(?i)TEMP", "temp"), ("(?!temp).*", "dewp"),
    ],
)  # fmt: skip
def test_what_people_write_is_matched(pattern: str, value: str) -> None:
    assert pattern_problem(pattern) is None
    assert fits(pattern, value)
    assert not fits(pattern, f"\n{value}")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a{99999999999999999999}", "the repetition number is too large"),
        ("(" * 51 + ")" * 51, "a regular expression of 51 groups; at most 50 are read"),
        ("(", "missing ), unterminated subpattern"),
        ("a" * (LONGEST + 1), "a regular expression of 501 characters; at most 500 are read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(pattern: str, why: str) -> None:
    assert why in str(pattern_problem(pattern))


def test_of_a_long_value_the_first_characters_are_seen() -> None:
    assert fits("a*", "a" * SEEN + "b")
    assert not fits("a*", "a" * (SEEN - 1) + "b")


@pytest.mark.parametrize("pattern", [r"(\w+_?)+x", "a{99999999999999999999}", "(" * 3000 + ")" * 3000])
def test_a_silence_that_would_end_or_freeze_the_owner_is_answered_and_a_route_is_a_mistake(pattern: str) -> None:
    world = World()
    silence = decode(encode(_silence(pattern)))
    assert isinstance(silence, AddSilence)
    said = answer(world.state, silence)
    assert not said.done
    assert said.said.startswith("feature=~: ")
    world.give(silence)
    world.fire("a/w0", severity="P1")
    assert world.give(Tick(), T0 + 60_000).silences == {}
    with pytest.raises(ValueError, match="feature=~: "):
        parse_matcher(f'feature=~"{pattern}"')


@pytest.mark.parametrize(("starts", "ends"), [(T0, T0 + 366 * DAY), (10**30, 10**30 + 1)])
def test_a_silence_without_a_date_to_end_is_refused(starts: int, ends: int) -> None:
    said = answer(World().state, _silence("temp", starts=starts, ends=ends))
    assert said.said == "a silence is at most 365d long, and ends before the year 10000; nothing was changed"


@pytest.mark.filterwarnings("ignore::FutureWarning")  # ``[[`` will mean a set of sets one day
@settings(max_examples=300)
@given(st.text(alphabet=r"ab01(){}[]|*+?.\,^$-=!<>:iLuwdbBPZ", max_size=24), st.sampled_from(("=~", "!~")))
def test_no_text_raises(pattern: str, operator: Operator) -> None:
    problem = regex_problem(Matcher("feature", operator, pattern))
    assert problem is None or problem.startswith(f"feature{operator}: ")
    if problem is None:
        fits(pattern, "ab" * SEEN)


def _silence(pattern: str, *, starts: int = T0, ends: int = T0 + DAY) -> AddSilence:
    matcher = Matcher("feature", "=~", pattern)
    return AddSilence(silence="s-1", matchers=(matcher,), starts=starts, ends=ends, by="me", at=T0)
