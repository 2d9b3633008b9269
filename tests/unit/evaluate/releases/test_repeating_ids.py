"""Versions that just keep every limit, asked by ids that come again and are alike with themselves: how often a rule says ``bad``.

Forty ids of 25 requests each; a part of them is luckier than others, all together fail in 5 % of requests and are rated 3.5.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from stream.evaluate.releases.health import checks_of, is_doubted
from stream.evaluate.releases.window import Arm, Arms, Sums
from tests.support.released import arm, monitor

WINDOWS, IDS, EACH = 400, 40, 25
RULES = ("errors", "latency", "rating")


@pytest.mark.parametrize("alike", [0.0, 0.1, 0.5, 1.0], ids="correlation {}".format)
def test_ids_that_are_alike_with_themselves_send_no_version_back_that_keeps_its_limits(alike: float) -> None:
    rng, found = np.random.default_rng(20130101), Counter[tuple[str, object]]()
    for _ in range(WINDOWS):
        for check in checks_of(Arms(arm(20_000), answers(rng, alike)), monitor()):
            found[check.rule, check.grade == "bad"] += 1
            found[check.rule, "on end"] += is_doubted(check)
    assert max(found[rule, True] for rule in RULES) <= 2
    assert (
        max(found[rule, "on end"] for rule in RULES) <= 30
    )  # 20 expected where an id always fails or never, fewer elsewhere


def answers(rng: np.random.Generator, alike: float) -> Arm:
    """``alike`` is the correlation of two requests of one id."""
    failed, slow = (rng.binomial(EACH, _chances(rng, alike)).sum() for _ in range(2))
    mean = 3.5 + rng.normal(0.0, np.sqrt(alike), IDS)
    rated = mean[:, None] + rng.normal(0.0, np.sqrt(1.0 - alike), (IDS, EACH))
    rating = Sums(rated.size, float(rated.sum()), float(np.square(rated).sum()))
    signs = tuple((EACH * rng.choice([-1, 1], IDS)).tolist())
    return arm(IDS * EACH, errors=int(failed), slow=int(slow), rating=rating, ids=signs, with_id=IDS * EACH)


def _chances(rng: np.random.Generator, alike: float) -> np.ndarray:
    """Of each id to fail, 5 % on average."""
    if alike in (0.0, 1.0):
        return np.full(IDS, 0.05) if not alike else (rng.random(IDS) < 0.05).astype(float)
    firm = (1.0 - alike) / alike
    return rng.beta(0.05 * firm, 0.95 * firm, IDS)
