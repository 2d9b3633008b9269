"""A bad version at 10 % is rolled back within two health windows: by every rule, from the fewest requests that a verdict needs."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stream.evaluate.releases.window import Sums
from tests.support.released import ALIKE, arm, running, shared, stepped, told, window

#: What the champion does, per request, and what version 4 does; where nothing is said it never fails, is rated 4, and scores alike.
USUAL = {"errors": 0.04, "slow": 0.04}
ERRORS_TWICE = {"errors": 0.10}
SLOW_TWICE = {"slow": 0.10}
RATED_LOW = {"rating": 3.0}
OTHER_SCORES = {"scores": (0, 25, 25, 75, 75, 75, 125, 175, 200, 225)}


@pytest.mark.parametrize(
    ("bad", "own", "windows", "rule"),
    [
        ({"errors": 0.20}, 100, 1, "errors"),
        (ERRORS_TWICE, 100, 2, "errors"),
        (ERRORS_TWICE, 200, 2, "errors"),
        (ERRORS_TWICE, 300, 1, "errors"),
        (ERRORS_TWICE, 100_000, 1, "errors"),
        ({"slow": 0.20}, 100, 1, "latency"),
        (SLOW_TWICE, 100, 2, "latency"),
        (SLOW_TWICE, 300, 1, "latency"),
        (SLOW_TWICE, 100_000, 1, "latency"),
        (RATED_LOW, 100, 1, "rating"),
        (RATED_LOW, 30, 2, "rating"),
        (RATED_LOW, 100_000, 1, "rating"),
        (OTHER_SCORES, 200, 1, "drift"),
        (OTHER_SCORES, 100_000, 1, "drift"),
    ],
)
def test_twice_as_bad_as_it_may_be_is_rolled_back(bad: dict[str, Any], own: int, windows: int, rule: str) -> None:
    asked = max(own, 100)
    arms = shared(0.10, of=10 * asked, champion=arm(9 * asked, **answered(USUAL, 9 * own)), **answered(bad, own))
    found = stepped(replace(running(), share=0.10), [window(hour, arms) for hour in (1, 2)])[1]
    back = told(found)[-1]
    assert (back[:3], back[3][0]) == ((windows, "roll_back", 0.0), rule)
    assert [one.decision for one in found[:-1]] == ["hold"] * (windows - 1)


@pytest.mark.parametrize(
    ("own", "decision", "code"), [(1, "hold", "not_enough_requests"), (29, "roll_back", "worse_success")]
)
def test_fewer_requests_than_a_verdict_needs_are_compared_all_the_same(own: int, decision: str, code: str) -> None:
    """The rules are silent on them; that all of 29 fail and none of the champion's is no chance, whenever it is looked at."""
    arms = shared(0.10, of=10 * own, errors=own)
    (found,) = stepped(replace(running(), share=0.10), [window(1, arms)])[1]
    assert (found.decision, [reason.code for reason in found.reasons]) == (decision, [code])
    assert {check.grade for check in found.evidence.checks} == {"unknown"}


@pytest.mark.parametrize(("own", "kept"), [(100, 8), (200, 15), (1_000, 61), (10_000, 535)])
def test_a_version_within_its_limits_is_not(own: int, kept: int) -> None:
    """So many failures are no more than chance makes of 5 %."""
    arms = shared(0.10, of=10 * own, champion=arm(9 * own, errors=9 * kept), errors=kept, slow=kept)
    assert told(stepped(replace(running(), share=0.10), [window(1, arms)])[1])[0][1] == "promote"


def answered(bad: dict[str, Any], n: int) -> dict[str, Any]:
    """Ratings are half a point to either side of their mean, or a whole one."""
    mean = bad.get("rating", 4.0)
    return {
        "errors": round(n * bad.get("errors", 0.0)),
        "slow": round(n * bad.get("slow", 0.0)),
        "rating": Sums(n, n * mean, n * (mean * mean + 1.0)),
        "scores": tuple(round(n * one / 1_000) for one in bad.get("scores", ALIKE)),
    }
