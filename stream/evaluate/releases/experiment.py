"""Challenger against champion since the share holds: success, latency and rating, with intervals valid whenever looked at.

Only since the share holds: while it does, who is asked is chance; over two shares the days that differ would be compared as well.
Ids that stick to a version and come again are no independent requests, so counts are deflated by how often they do.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from detectors.experiments.effect_size import effect_size
from detectors.experiments.looks import Look
from detectors.experiments.means import look_at_means
from detectors.experiments.overlap import Overlap, effect, overlap
from detectors.experiments.rates import look_at_rates
from detectors.experiments.samples import Counts, Sample, deflated_counts, deflated_sample
from schemas.releases import Compared, Quantity
from stream.evaluate.releases.state import Both
from stream.evaluate.releases.window import Sums

#: How often a challenger that is no worse may be found worse, in a whole release.
LEVEL = 0.05
#: Of a million requests a longer latency is certain that no one notices: Cohen calls 0.2 small.
NOT_FELT = 0.1


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many requests of each version count as one, because their ids come again."""

    champion: float = 1.0
    challenger: float = 1.0


def repeats_of(both: Both) -> Repeats:
    """By the sketches of both versions' ids."""
    return Repeats(*(effect(np.array(one.ids), one.with_id) for one in (both.champion, both.challenger)))


def overlap_of(both: Both) -> Overlap:
    """Whether ids were answered by both versions since the share holds."""
    one, other = both.champion, both.challenger
    if not one.ids or not other.ids:
        return Overlap("not_enough_data")
    return overlap(np.array(one.ids), np.array(other.ids), rows=(one.with_id, other.with_id))


def compared(both: Both, before: tuple[float, ...]) -> tuple[tuple[Compared, ...], tuple[float, ...]]:
    """Of each quantity that both versions have enough of; and the p-values to be handed to the next look.

    :param before: what the look before this one handed on, 1 for each quantity at the first.
    """
    found, after = [], []
    for (quantity, one, other, look), earlier in zip(_looks(both, repeats_of(both)), before, strict=True):
        said = look(before=earlier)
        after.append(said.p_value)
        if said.state == "ok" and said.difference is not None and said.interval is not None:
            found.append(_compared(quantity, one, other, said=said))
    return tuple(found), tuple(after)


def _looks(both: Both, repeats: Repeats) -> Iterator[tuple[Quantity, Sample, Sample, partial[Look]]]:
    champion, challenger = both.champion, both.challenger
    one, other = _sample(champion.success, repeats.champion), _sample(challenger.success, repeats.challenger)
    rates = (_counts(champion.success, repeats.champion), _counts(challenger.success, repeats.challenger))
    yield "success", one, other, partial(look_at_rates, *rates)
    one, other = _sample(champion.latency, repeats.champion), _sample(challenger.latency, repeats.challenger)
    yield "latency", one, other, partial(look_at_means, one, other)
    one, other = _sample(champion.rating, repeats.champion), _sample(challenger.rating, repeats.challenger)
    yield "rating", one, other, partial(look_at_means, one, other)


def _compared(quantity: Quantity, one: Sample, other: Sample, *, said: Look) -> Compared:
    size = effect_size(one, other)
    low, high = size.interval if size.interval is not None else (None, None)
    assert said.difference is not None
    assert said.interval is not None
    return Compared(
        quantity, round(other.n), round(one.n), said.difference, said.interval.low, said.interval.high, said.p_value,
        size.cohen, low, high,
    )  # fmt: skip


def is_worse(found: Compared, *, level: float) -> bool:
    """Whether the challenger surely is: success and ratings lower, latencies longer by more than nobody feels."""
    if found.quantity == "latency":
        return found.p < level and (found.d or 0.0) > NOT_FELT
    return found.p < level and found.difference < 0


def _counts(sums: Sums, repeats: float) -> Counts:
    return deflated_counts(Counts(sums.n, sums.total), repeats)


def _sample(sums: Sums, repeats: float) -> Sample:
    return deflated_sample(Sample(sums.n, sums.total, max(0.0, sums.squares)), repeats)
