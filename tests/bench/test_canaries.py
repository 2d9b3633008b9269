"""Whole canaries of a version that is as good as the champion, two thousand of each size: how many are rolled back all the same.

The bar: at most one of a hundred.  Errors of 1 % and slow answers of 2 % beside limits of 5 %, ratings of 3.9 beside 3.5 (three of
ten requests are rated), scores of one distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from detectors.experiments import rates
from detectors.experiments.samples import Interval
from schemas.releases import Decision
from stream.evaluate.releases.step import step
from stream.evaluate.releases.window import Arm, Arms, Sums
from tests.support.released import monitor, running, window

pytestmark = pytest.mark.bench

CANARIES = 2_000
#: Windows after which a canary has reached 100 %, or never will.
MOST = 40


@dataclass(frozen=True)
class Version:
    """What it does, per request; ``rating`` are the chances of 1 to 5."""

    errors: float = 0.01
    slow: float = 0.02
    rated: float = 0.3
    rating: tuple[float, ...] = (0.08, 0.07, 0.15, 0.30, 0.40)

    def answers(self, rng: np.random.Generator, n: int) -> Arm:
        """A window of ``n`` requests."""
        latency = rng.lognormal(-1.0, 0.6, n)
        rated = rng.choice(np.arange(1.0, 6.0), rng.binomial(n, self.rated), p=self.rating)
        scores = np.bincount((rng.beta(2, 5, n) * 40).astype(int), minlength=40)
        return Arm(
            n, int(rng.binomial(n, self.errors)), n, int(rng.binomial(n, self.slow)), 1.0,
            _sums(latency), _sums(rated), tuple(scores.tolist()),
        )  # fmt: skip


def _sums(values: np.ndarray) -> Sums:
    return Sums(len(values), float(values.sum()), float((values * values).sum()))


def last_word(rng: np.random.Generator, version: Version, requests: int) -> Decision | None:
    """Of a canary in which both are this version."""
    state, word = running(), None
    for hour in range(1, MOST + 1):
        own = int(rng.binomial(requests, state.share))
        arms = Arms(version.answers(rng, requests - own), version.answers(rng, own))
        state, decision, _ = step(state, window(hour, arms), monitor())
        word = decision or word
        if not state.runs:
            break
    return word


@pytest.mark.parametrize("requests", [2_000, 4_000, 20_000])
def test_a_good_version_is_rolled_back_in_one_canary_of_a_hundred_at_most(
    requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        rates, "_interval", lambda *_: Interval(-1.0, 1.0)
    )  # nine tenths of the time, and decides nothing
    rng, version = np.random.default_rng(20130101), Version()
    words = [last_word(rng, version, requests) for _ in range(CANARIES)]
    back = sum(word is not None and word.decision == "roll_back" for word in words)
    done = sum(word is not None and word.decision == "complete" for word in words)
    print(f"{requests} requests a window: {back} of {CANARIES} rolled back, {done} complete")
    assert back <= CANARIES // 100
