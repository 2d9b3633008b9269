"""What challenger and champion are compared by since the share holds, and from where on a difference is harm."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.releases import Compared, Quantity
from stream.evaluate.releases.experiment import compared, is_worse, overlap_of
from stream.evaluate.releases.state import NO_LOOK, Both, Totals
from stream.evaluate.releases.window import Sums
from tests.support.released import running, shared, stepped, told, window


def total(*, each: int = 1, latency: float = 1.0, rating: float = 4.0) -> Totals:
    """Ten thousand requests, so many of each id; one of ten fails; latencies and ratings spread by one."""
    alone = 10_000 // each
    return Totals(
        success=Sums.of_hits(10_000, 9_000),
        latency=Sums(10_000, 10_000 * latency, 10_000 * (latency**2 + 1.0)),
        rating=Sums(10_000, 10_000 * rating, 10_000 * (rating**2 + 1.0)),
        ids=(each,) * (alone // 2) + (-each,) * (alone // 2),
        with_id=10_000,
    )


def test_of_ids_that_come_again_every_quantity_counts_each_id_once() -> None:
    found, _ = compared(Both(total(each=10), total(each=20)), NO_LOOK)
    assert [(one.quantity, one.n_champion, one.n) for one in found] == [
        ("success", 1_000, 500), ("latency", 1_000, 500), ("rating", 1_000, 500),
    ]  # fmt: skip


def test_a_difference_is_the_challengers_less_the_champions() -> None:
    _, latency, rating = compared(Both(total(), total(latency=1.5, rating=3.0)), NO_LOOK)[0]
    assert [latency.difference, rating.difference] == pytest.approx([0.5, -1.0])
    assert latency.d == pytest.approx(0.5, abs=1e-3)
    assert rating.d == pytest.approx(-1.0, abs=1e-3)


def test_the_least_p_value_so_far_is_handed_on() -> None:
    assert compared(Both(total(), total()), (1e-9, 0.5, 1.0))[1][:2] == (1e-9, 0.5)


def test_ids_of_one_version_alone_say_nothing_of_both() -> None:
    for both in (Both(total(), Totals()), Both(Totals(), total())):
        assert overlap_of(both).verdict == "not_enough_data"


@pytest.mark.parametrize(
    ("quantity", "difference", "d", "worse"),
    [
        ("success", -0.02, -0.01, True),
        ("success", 0.02, 0.01, False),
        ("rating", -0.02, -0.01, True),
        ("rating", 0.02, 0.01, False),
        ("latency", 0.5, 0.11, True),
        ("latency", 0.5, 0.10, False),
        ("latency", -0.5, -0.5, False),
        ("latency", 0.5, None, False),
    ],
)
def test_worse_is_lower_and_of_latencies_longer_by_what_is_felt(
    quantity: Quantity, difference: float, d: float | None, worse: bool
) -> None:
    sure = Compared(quantity, 1_000, 1_000, difference, difference - 0.1, difference + 0.1, 0.001, d)
    assert is_worse(sure, level=0.0011) is worse
    assert not is_worse(sure, level=0.001)


def test_three_quantities_at_five_shares_are_wrong_once_in_twenty_releases_together() -> None:
    """1 of 20 is divided by fifteen: what was found less likely than 1 of 300 is harm."""
    slightly = window(1, shared(0.05, errors=6))
    for p, decision in ((0.0034, "promote"), (0.0033, "roll_back")):
        state = replace(running(), looks=(p, 1.0, 1.0))
        assert told(stepped(state, [slightly])[1])[0][1] == decision
