"""The health rules, each beside its limit: well, doubtful, bad, as bad as the champion, or too little to say."""

from __future__ import annotations

import pytest

from schemas.releases import Check
from stream.evaluate.releases.health import checks_of, is_doubted
from stream.evaluate.releases.window import Arms, Sums
from tests.support.released import ALIKE, arm, monitor

ERRORS, LATENCY, RATING, DRIFT = range(4)


def checked(rule: int, champion: dict[str, object], challenger: dict[str, object]) -> Check:
    arms = Arms(arm(1000, **champion), arm(1000, **challenger))  # type: ignore[arg-type]
    return checks_of(arms, monitor())[rule]


def ratings(n: int, mean: float, sd: float) -> Sums:
    return Sums(n, n * mean, n * (mean * mean + sd * sd))


@pytest.mark.parametrize(
    ("errors", "grade"), [(0, "well"), (62, "well"), (63, "doubtful"), (73, "doubtful"), (74, "bad"), (1000, "bad")]
)
def test_errors_and_slow_answers_beyond_chance(errors: int, grade: str) -> None:
    assert checked(ERRORS, {}, {"errors": errors}).grade == grade
    assert checked(LATENCY, {}, {"slow": errors}).grade == grade


def test_a_latency_says_its_p95_beside_the_promise_in_seconds() -> None:
    found = checked(LATENCY, {}, {"slow": 200, "p95_s": 2.5})
    assert (found.value, found.limit, found.champion, found.grade) == (2.5, 2.0, 1.0, "bad")


@pytest.mark.parametrize(
    ("rating", "grade"),
    [
        (ratings(29, 1.0, 1.0), "unknown"),
        (ratings(100, 3.5, 1.0), "well"),
        (ratings(100, 3.3, 1.0), "doubtful"),
        (ratings(100, 3.0, 1.0), "bad"),
        (ratings(100, 3.4, 0.0), "bad"),
    ],
)
def test_ratings_below_the_least(rating: Sums, grade: str) -> None:
    assert checked(RATING, {}, {"rating": rating}).grade == grade


def test_a_champion_that_is_rated_as_badly() -> None:
    bad = ratings(100, 3.0, 1.0)
    assert checked(RATING, {"rating": bad}, {"rating": bad}).grade == "both"
    assert checked(RATING, {"rating": bad}, {"rating": ratings(100, 2.0, 1.0)}).grade == "bad"
    for n, grade in ((29, "bad"), (30, "both")):  # of fewer nobody knows how it is rated
        assert checked(RATING, {"rating": ratings(n, 2.0, 1.0)}, {"rating": bad}).grade == grade


def test_a_champion_that_fails_as_often_is_known_from_as_many_requests_as_a_verdict_needs() -> None:
    for n, grade in ((99, "bad"), (100, "both")):
        checks = checks_of(Arms(arm(n, errors=n, slow=n), arm(1000, errors=500, slow=500)), monitor())
        assert [check.grade for check in checks[:2]] == [grade, grade]


def test_scores_that_are_another_distribution() -> None:
    other = (200,) * 5 + (0,) * 5
    found = checked(DRIFT, {"scores": ALIKE}, {"scores": other})
    assert (found.grade, found.n) == ("bad", 1000)
    assert found.value == pytest.approx(3.43962, abs=1e-5)
    assert checked(DRIFT, {"scores": ALIKE}, {"scores": ALIKE}).grade == "well"
    assert checked(DRIFT, {}, {"scores": ALIKE}).grade == "unknown"
    assert checked(DRIFT, {"scores": ALIKE}, {}).grade == "unknown"


def test_a_hundred_scores_of_each_version_are_enough() -> None:
    low, high, enough = (10,) * 10, (99,) + (0,) * 9, (100,) + (0,) * 9
    assert checked(DRIFT, {"scores": low}, {"scores": high}).grade == "unknown"
    assert checked(DRIFT, {"scores": high}, {"scores": low}).grade == "unknown"
    assert checked(DRIFT, {"scores": low}, {"scores": enough}).grade == "bad"


def test_few_scores_that_differ_by_no_more_than_chance_are_well() -> None:
    few, many = (10, 10, 10, 10, 10, 10, 10, 10, 10, 30), (60, 40, 60, 40, 60, 40, 60, 40, 60, 40)
    assert checked(DRIFT, {"scores": many}, {"scores": few}).grade == "well"


@pytest.mark.parametrize(
    ("requests", "each", "grade", "p"),
    [
        (80, 1, "bad", 3.489e-5),  # a thousand users, 8 % of whom fail
        (80, 10, "doubtful", 0.12796),  # eight of a hundred
        (100, 10, "doubtful", 0.02819),
        (150, 10, "bad", 1.3586e-4),
        (80, 25, "doubtful", 0.27758),
        (63, 10, "doubtful", 0.33482),
        (62, 25, "well", 0.45992),
    ],
)
@pytest.mark.parametrize(("rule", "what"), [(ERRORS, "errors"), (LATENCY, "slow")])
def test_failures_of_ids_that_come_again_are_certain_of_the_ids_alone(
    requests: int, each: int, grade: str, p: float, rule: int, what: str
) -> None:
    """Beyond the limit as requests are counted it is doubtful at least: nobody is promoted for having few users."""
    found = checked(rule, {}, {what: requests, **again(each)})
    assert found.grade == grade
    assert found.p == pytest.approx(p, rel=1e-3)
    assert is_doubted(found) == (grade == "doubtful" and p < 0.05)


def test_ratings_of_ids_that_come_again() -> None:
    """A hundred of a thousand requests were rated: of ten requests of an id one, so most of them are of ids of their own."""
    low = ratings(100, 3.0, 1.0)
    assert checked(RATING, {}, {"rating": low, **again(1)}).grade == "bad"
    assert checked(RATING, {}, {"rating": low, **again(10)}).p == pytest.approx(3.648e-4, rel=1e-3)  # as 53
    every = checked(RATING, {}, {"rating": ratings(1000, 3.3, 1.0), **again(250)})
    assert every.grade == "doubtful"
    assert every.p == pytest.approx(0.37595, rel=1e-3)  # as 4
    assert checked(RATING, {}, {"rating": ratings(1000, 3.3, 1.0), **again(1000)}).p == 1.0  # one user


def again(each: int) -> dict[str, object]:
    """A thousand requests, so many of each id."""
    alone = 1000 // each
    return {"ids": (each,) * (alone // 2) + (-each,) * (alone - alone // 2), "with_id": 1000}


def test_scores_of_ids_that_come_again_are_not_taken_for_a_drift() -> None:
    """Forty users of the challenger, 25 requests each, happen to score higher: one user of forty is no share of a thousand."""
    few = (0, 25, 25, 75, 75, 75, 125, 175, 200, 225)
    alone = {"ids": (1,) * 500 + (-1,) * 500, "with_id": 1000}
    again = {"ids": (25,) * 20 + (-25,) * 20, "with_id": 1000}
    assert checked(DRIFT, {"scores": ALIKE, **alone}, {"scores": few, **alone}).grade == "bad"
    assert checked(DRIFT, {"scores": ALIKE, **alone}, {"scores": few, **again}).grade == "unknown"
    twice = {"ids": (2,) * 250 + (-2,) * 250, "with_id": 1000}
    assert checked(DRIFT, {"scores": ALIKE, **alone}, {"scores": few, **twice}).grade == "bad"
