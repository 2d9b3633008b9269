"""Looking every day at experiments without a difference, ten thousand of each kind: who is promoted all the same.

The bar is the issue's: at most 5 % at any of thirty daily looks.  Beside it what a p-value for one look does when it is looked at
daily; what users who come again, days that wander and shares that change do, and what helps; and how many rows it takes to find a
difference, in those that a test at one fixed size takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table
from scipy import special

from detectors.experiments.beta_mixture import log_e_of_share
from detectors.experiments.blocks import EXPECTED, log_e_of_blocks
from detectors.experiments.means import log_e_of_means
from detectors.experiments.rates import log_e_of_rates
from tests.support.experiments import (
    DAYS,
    QUANTITIES,
    STAGES,
    Arms,
    Floats,
    daily_rows,
    quantities,
    rates,
    sticky,
)
from tests.support.power import Needed, means_needed, rates_needed
from tests.support.promotions import ever, ever_naive, welch_in_the_mixture, z_of_means, z_of_rates

pytestmark = pytest.mark.bench

EXPERIMENTS = 10_000
SHARES = (0.05, 0.5)


def test_rates_looked_at_daily() -> None:
    rng, found = np.random.default_rng(20130101), []
    for rate in (0.001, 0.05, 0.5):
        for share in SHARES:
            arms = rates(rng, daily_rows(rng, EXPERIMENTS, share=share, rows=2_000), chances=(rate, rate))
            log_e = log_e_of_rates(arms.champion, arms.challenger)
            found.append((f"{rate:g}", f"{share:g}", ever(log_e), ever_naive(z_of_rates(arms))))
    _print("rates, 2 000 rows a day", ("rate", "share", "always valid", "pooled z"), found)
    assert max(row[2] for row in found) <= 0.05


def test_means_looked_at_daily() -> None:
    rng, found = np.random.default_rng(20130102), []
    for name, draw in QUANTITIES.items():
        for share in SHARES:
            arms = quantities(rng, EXPERIMENTS, draw=draw, share=share)
            log_e = log_e_of_means(arms.champion, arms.challenger)
            contrast = ever(welch_in_the_mixture(arms)), ever_naive(z_of_means(arms))
            found.append((name, f"{share:g}", ever(log_e), *contrast))
    heads = ("quantity", "share", "always valid", "with Welch's error", "Welch's p")
    _print("means, 1 000 rows a day", heads, found)
    assert max(row[2] for row in found) <= 0.05


def test_shares_of_traffic_looked_at_daily() -> None:
    rng, found = np.random.default_rng(20130103), []
    for share in (0.01, 0.05, 0.5):
        one, other = (np.cumsum(rows, axis=1) for rows in daily_rows(rng, EXPERIMENTS, share=share, rows=2_000))
        n = one + other
        z = (other - share * n) / np.sqrt(share * (1.0 - share) * n)
        found.append((f"{share:g}", ever(log_e_of_share(n, other, share)), ever_naive(z)))
    _print("sample ratio, 2 000 rows a day", ("share", "always valid", "chi-squared"), found)
    assert max(row[1] for row in found) <= 0.05


def test_ids_that_come_again() -> None:
    rng, found = np.random.default_rng(20130104), []
    for alike in (0.01, 0.1, 0.5):
        for ids in ((1_000, 1_000), (1_900, 100)):
            many = sticky(rng, 500, ids=ids, rate=0.05, alike=alike)
            deflated = [
                tuple(each / effect for each in arm)
                for arm, effect in zip((many.arms.champion, many.arms.challenger), many.effects, strict=True)
            ]
            raw, honest = log_e_of_rates(many.arms.champion, many.arms.challenger), log_e_of_rates(*deflated)
            share = ids[1] / sum(ids)
            found.append((f"{alike:g}", f"{share:g}", ever(raw), ever(honest), ever_naive(z_of_rates(many.arms))))
    heads = ("correlation", "share", "rows", "rows / effect", "pooled z")
    _print("sticky ids, ten rows each, rate .05 (500 experiments)", heads, found)
    assert max(row[3] for row in found) <= 0.05


def test_days_that_wander_and_shares_that_change() -> None:
    rng, found = np.random.default_rng(20130105), []
    for name, chances in (_wandering(rng, 0.05) | _wandering(rng, 0.5)).items():
        for title, share in (("0.5", 0.5), ("stages", STAGES)):
            rows = daily_rows(rng, EXPERIMENTS, share=share, rows=2_000)
            arms = rates(rng, rows, chances=chances)
            found.append(
                (
                    name,
                    title,
                    ever(log_e_of_rates(arms.champion, arms.challenger)),
                    ever(_by_stage(arms)),
                    ever(_blocks(arms)),
                )
            )
    heads = ("days", "share", "all rows", "by stage", "by day")
    _print("days that wander, 2 000 rows", heads, found)
    assert max(row[3] for row in found if "its own" not in str(row[0])) <= 0.05
    assert max(row[4] for row in found if "remembers" not in str(row[0])) <= 0.05


def test_windows_that_expect_no_hit() -> None:
    rng = np.random.default_rng(20130107)
    arms = rates(rng, daily_rows(rng, EXPERIMENTS, share=0.05, rows=1_000), chances=(0.001, 0.001))
    found = ever(log_e_of_blocks(_daily(arms))), ever(_blocks(arms))
    _print("rate .001, 50 rows a day", ("by day", "of days with hits enough"), [found])
    assert ever(_blocks(arms)) <= 0.05


def test_rows_needed_beside_a_test_at_one_size() -> None:
    rng = np.random.default_rng(20130106)
    table = Table(title="rows for 80 % power, in those of a test at one fixed size")
    for head in ("difference", "share", "rows at one size", "80 % found by", "found on average"):
        table.add_column(head, justify="right")
    every: list[tuple[str, float, Needed]] = []
    for share in SHARES:
        for pair in (
            (0.001, 0.003),
            (0.001, 0.0015),
            (0.05, 0.075),
            (0.05, 0.06),
            (0.05, 0.0525),
            (0.5, 0.6),
            (0.5, 0.51),
        ):
            every.append((f"{pair[0]:g} to {pair[1]:g}", share, rates_needed(rng, 1_000, rates=pair, share=share)))
        for effect in (0.2, 0.1, 0.05, 0.01):
            every.append((f"d = {effect:g}", share, means_needed(rng, 1_000, effect=effect, share=share)))
    for name, share, needed in every:
        table.add_row(name, f"{share:g}", f"{needed.fixed:,.0f}", f"{needed.at_most:.2f}", f"{needed.mean:.2f}")
    Console(width=110).print(table)
    assert max(needed.at_most for _, _, needed in every) <= 3.5
    assert max(needed.mean for _, _, needed in every) <= 2.3


def _wandering(rng: np.random.Generator, rate: float) -> dict[str, tuple[Floats, Floats]]:
    """Both arms' chances a day, in words."""
    at, shape = special.logit(rate), (EXPERIMENTS, DAYS)
    common, one, other = rng.normal(0.0, 0.3, shape), rng.normal(0.0, 0.1, shape), rng.normal(0.0, 0.1, shape)
    trend = np.broadcast_to(np.linspace(-0.5, 0.5, DAYS), shape)
    remembered = {
        f"{rate:g}, each its own, remembers {phi:g}": (
            special.expit(at + _remembering(rng, phi)), special.expit(at + _remembering(rng, phi))
        )
        for phi in (0.5, 0.9)
    }  # fmt: skip
    return remembered | {
        f"{rate:g}, both arms alike, by 35 %": (special.expit(at + common), special.expit(at + common)),
        f"{rate:g}, both grow by e": (special.expit(at + trend), special.expit(at + trend)),
        f"{rate:g}, each its own, by 10 %": (special.expit(at + one), special.expit(at + other)),
    }


def _remembering(rng: np.random.Generator, phi: float) -> Floats:
    """A tenth a day, of which ``phi`` is the day's before."""
    found = rng.normal(0.0, 0.1, (EXPERIMENTS, DAYS))
    for day in range(1, DAYS):
        found[:, day] = phi * found[:, day - 1] + np.sqrt(1.0 - phi**2) * found[:, day]
    return found


def _by_stage(arms: Arms) -> Floats:
    """The mean evidence of five stages of six days, each counted from its own beginning; of those to come e = 1."""
    span = DAYS // 5
    evidence: list[Floats] = []
    ended: list[Floats] = []
    for stage in range(5):
        days, before = slice(stage * span, (stage + 1) * span), stage * span - 1
        one, other = (
            tuple(each[:, days] - (each[:, before, None] if stage else 0.0) for each in arm)
            for arm in (arms.champion, arms.challenger)
        )
        e = np.exp(np.minimum(log_e_of_rates(one, other), 700.0))
        evidence.append((sum(ended, start=np.zeros(1)) + e + (4 - stage)) / 5)
        ended.append(e[:, -1:])
    found: Floats = np.log(np.concatenate(evidence, axis=1))
    return found


def _blocks(arms: Arms) -> Floats:
    """The evidence of daily differences, of days that expect hits and misses enough in each arm."""
    (n1, h1), (n2, h2) = _by_day(arms)
    rate = (h1 + h2) / (n1 + n2)
    enough = np.minimum(n1, n2) * np.minimum(rate, 1.0 - rate) >= EXPECTED
    return log_e_of_blocks(np.where(enough, _daily(arms), np.nan))


def _daily(arms: Arms) -> Floats:
    """Each day's difference of rates."""
    (n1, h1), (n2, h2) = _by_day(arms)
    found: Floats = h2 / np.maximum(n2, 1.0) - h1 / np.maximum(n1, 1.0)
    return found


def _by_day(arms: Arms) -> list[list[Floats]]:
    return [[np.diff(each, axis=1, prepend=0.0) for each in arm] for arm in (arms.champion, arms.challenger)]


def _print(title: str, heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    table = Table(title=f"{title}: share called at p <= .05 at any of {DAYS} daily looks")
    for head in heads:
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console(width=110).print(table)
