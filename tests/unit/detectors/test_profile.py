"""From columns to a reference: exact counts, in order, by pane, and a file that comes back as it was."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.profile import (
    build_reference,
    categorical_profile,
    coded,
    mean_and_sd,
    numeric_profile,
    pane_matrix,
    panes_of,
)
from schemas.reference import BadReference, NumericProfile, Reference

HOUR = 3_600_000
floats = st.floats(allow_nan=True, allow_infinity=True, width=32)
names = st.sampled_from(["a", "b", "ä", "", "\ud800", None])
rows = st.lists(st.tuples(st.integers(0, 20 * HOUR), floats, names), max_size=60)


def reference_of(table: list[tuple[int, float, str | None]]) -> Reference:
    number, name = np.array([x for _, x, _ in table], dtype=float), coded(c for _, _, c in table)
    panes = panes_of(np.array([time for time, _, _ in table], dtype=np.int64), pane_ms=HOUR)
    return build_reference("m", {"x": number, "c": name}, panes=panes, score=number, outcomes=name)


@given(rows)
def test_counts_add_up_to_the_rows_in_total_and_by_pane(table: list[tuple[int, float, str | None]]) -> None:
    reference = reference_of(table)
    x, c = reference.features["x"], reference.features["c"]

    assert sum(x.counts) + x.missing + x.nonfinite == x.rows == len(table)  # type: ignore[union-attr]
    assert sum(c.counts) + c.other + c.missing == c.rows == len(table)  # type: ignore[union-attr]
    by_pane = Counter(time // HOUR * HOUR for time, _, _ in table)
    for profile in (x, c):
        matrix = pane_matrix(profile)
        assert matrix.sum(axis=1).tolist() == [by_pane[start] for start in reference.pane_starts or ()]
        assert matrix[:, : len(profile.counts)].sum(axis=0).tolist() == list(profile.counts)


@given(rows, st.randoms())
def test_the_order_of_rows_changes_nothing(table: list[tuple[int, float, str | None]], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(table)
    random.shuffle(shuffled)
    assert reference_of(shuffled).hash == reference_of(table).hash


@given(rows)
def test_a_reference_comes_back_from_its_file_with_its_hash(
    table: list[tuple[int, float, str | None]],
) -> None:
    reference = reference_of(table)
    again = Reference.from_json(reference.to_json())
    assert again == reference
    assert again.hash == reference.hash
    assert again.to_json() == reference.to_json()


def test_the_hash_does_not_depend_on_the_order_of_features_but_on_everything_else() -> None:
    a, b = np.arange(5.0), np.arange(5.0) * 2
    one = build_reference("m", {"a": a, "b": b})
    assert build_reference("m", {"b": b, "a": a}).hash == one.hash
    assert build_reference("m", {"a": b, "b": a}).hash != one.hash
    assert build_reference("n", {"a": a, "b": b}).hash != one.hash
    assert build_reference("m", {"a": a, "b": b}, panes=panes_of(np.arange(5), pane_ms=HOUR)).hash != one.hash


def test_the_hash_is_the_published_one() -> None:
    """Stored references are found by it: it may change with the schema's number only."""
    column = np.array([1.0, 2.0, 2.0, np.nan])
    reference = build_reference(
        "m", {"x": column, "c": coded(["a", None, "b", "a"])}, panes=panes_of(np.arange(4), pane_ms=2)
    )
    assert reference.hash == "9d4ae4ba518c43b1f1e37a78406b6adbef9e83e1f06be65c0f1027957f3e8492"


def test_whole_numbers_given_for_floats_hash_like_floats() -> None:
    def with_edges(*edges: float) -> Reference:
        x = NumericProfile(edges, (), (), (0, 1, 0), (), 1, 0, 0, edges[0], edges[0], edges[0], 0)
        return Reference(1, "m", 1, None, None, {"x": x}, None, None)

    assert with_edges(1, 2).hash == with_edges(1.0, 2.0).hash


def test_a_small_column_in_full() -> None:
    panes = panes_of(np.array([0, 5 * HOUR, 5 * HOUR + 1, 2 * HOUR, 5]), pane_ms=HOUR)
    profile = numeric_profile(np.array([1.0, 2.0, np.nan, -np.inf, 1.0]), panes)

    assert panes.starts == (0, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 5 * HOUR)
    assert profile.edges[0] == 1.0
    assert profile.edges[-1] == np.nextafter(2.0, np.inf)
    assert profile.atoms == (1.0, 2.0)
    assert (profile.rows, profile.missing, profile.nonfinite) == (5, 1, 1)
    assert (profile.minimum, profile.maximum) == (1.0, 2.0)
    assert profile.mean == pytest.approx(4 / 3, rel=1e-15)
    assert profile.sd == pytest.approx(np.sqrt(2) / 3, rel=1e-15)
    bins = len(profile.counts)
    assert profile.pane_counts == ((1, 2), (), (bins + 1, 1), (), (), (bins - 2, 1, bins, 1))


def test_categories_stand_by_falling_count_then_by_name() -> None:
    profile = categorical_profile(coded(["b", "c", "a", "b", None, "c", "d"]), None)
    assert profile.categories == ("b", "c", "a", "d")
    assert profile.counts == (2, 2, 1, 1)
    assert (profile.rows, profile.missing, profile.other) == (7, 1, 0)


def test_at_most_2000_categories_are_named_and_the_rest_is_other() -> None:
    profile = categorical_profile(coded([f"n{i:05}" for i in range(2100)] + ["n02099"]), None)
    assert len(profile.categories) == 2000
    assert profile.categories[0] == "n02099"
    assert profile.categories[-1] == "n01998"
    assert profile.other == 100


@pytest.mark.parametrize("column", [[], [np.nan] * 3, [np.inf]])
def test_a_column_without_a_finite_value_has_one_bin_and_no_moments(column: list[float]) -> None:
    profile = numeric_profile(np.array(column), None)
    assert profile.edges == ()
    assert profile.counts == (0,)
    assert (profile.minimum, profile.maximum, profile.mean, profile.sd) == (None, None, None, None)
    assert (profile.center, profile.scale) == (0.0, 1.0)


def test_moments_of_the_widest_floats_are_finite_and_of_constants_exact() -> None:
    assert mean_and_sd(np.array([1.5e308, -1.5e308])) == (0.0, 1.5e308)
    assert mean_and_sd(np.full(7, 0.1)) == (0.1, 0.0)
    assert mean_and_sd(np.array([5e-324, 0.0]))[1] >= 0


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'x': 3.*'\(times\)': 2"):
        build_reference("m", {"x": np.zeros(3)}, panes=panes_of(np.zeros(2, np.int64), pane_ms=1))


def damaged(**changes: object) -> bytes:
    content = json.loads(build_reference("m", {"x": np.arange(3.0)}).to_json())
    return json.dumps(content | changes).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not a reference"),
        (damaged(schema=3), "schema: 3 is newer than what is read here"),
        (damaged(schema="1"), "schema: '1' is not a version"),
        (damaged(rows=4), "sha256 does not match"),
        (damaged(rows=float("inf")), "reference: Expected `int`, got `float`"),
        (damaged(note="kept?"), "sha256 does not match"),
        (damaged(rows="4"), r"reference: Expected `int`, got `str` - at `\$.rows`"),
        (damaged(features={"x": {"type": "ordinal"}}), "features.x.type: 'ordinal'; expected"),
        (damaged(features={"x": {"type": "numeric"}}), "features.x: Object missing required field `edges`"),
    ],
)
def test_a_damaged_file_is_refused_with_the_place(data: bytes, message: str) -> None:
    with pytest.raises(BadReference, match=message):
        Reference.from_json(data)
