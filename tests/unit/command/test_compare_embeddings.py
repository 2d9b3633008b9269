"""`driftline compare` of vectors: columns of embeddings, and all numeric columns together as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.command import Ended, driftline
from tests.support.row_files import write

HOUR = 3_600_000


def vectors(rows: int, *, seed: int, shift: float = 0.0, width: int = 8) -> list[list[float]]:
    drawn = np.random.default_rng(seed).standard_normal((rows, width)) + shift
    found: list[list[float]] = drawn.round(6).tolist()
    return found


def compared(folder: Path, then: dict[str, Any], now: dict[str, Any], *options: str, suffix: str = ".jsonl") -> Ended:
    files = write(folder / f"then{suffix}", then), write(folder / f"now{suffix}", now)
    return driftline("compare", *map(str, files), *options)


def found(ended: Ended, name: str = "v") -> tuple[Any, Any]:
    said = json.loads(ended.out)
    return said["features"][name], said["verdicts"][name]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_an_embedding_drifts_where_its_entries_do(tmp_path: Path, suffix: str) -> None:
    then = {"v": [*vectors(300, seed=1), None]}
    ended = compared(tmp_path, then, {"v": vectors(200, seed=2, shift=0.3)}, "--json", suffix=suffix)
    statistics, verdict = found(ended)
    assert ended.code == 1
    assert list(statistics) == ["mmd"]
    assert statistics["mmd"]["value"] == pytest.approx(0.022322041785452735, rel=1e-9)
    assert statistics["mmd"]["convention"] == "driftline (rff 64 seed 20260101)"
    assert (statistics["mmd"]["n_reference"], statistics["mmd"]["n"]) == (300, 200)
    assert (verdict["kind"], verdict["state"]) == ("embedding", "drift")
    assert verdict["p_value"] == statistics["mmd"]["p_value"] < 1e-6
    assert verdict["missing"] == {"reference": 1, "current": 0}


def test_alike_embeddings_are_ok_in_any_unit(tmp_path: Path) -> None:
    then, now = vectors(300, seed=1), vectors(300, seed=2)
    in_units, of_units = found(compared(tmp_path, {"v": then}, {"v": now}, "--json"))
    larger = [[[x * 1e6, *rest] for x, *rest in side] for side in (then, now)]
    statistics, verdict = found(compared(tmp_path, {"v": larger[0]}, {"v": larger[1]}, "--json"))
    assert verdict["state"] == of_units["state"] == "ok"
    assert statistics["mmd"]["value"] == pytest.approx(in_units["mmd"]["value"], rel=1e-6)


def test_columns_that_go_together_otherwise_drift_together_and_not_alone(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)

    def rows(sign: float) -> dict[str, list[float]]:
        one, other = draw.standard_normal((2, 1000))
        return {"a": one.tolist(), "b": (0.8 * sign * one + 0.6 * other).tolist(), "c": draw.random(1000).tolist()}

    ended = compared(tmp_path, rows(1.0), rows(-1.0), "--together", "--json", suffix=".csv")
    verdicts = json.loads(ended.out)["verdicts"]
    assert ended.code == 1
    together = "(numeric columns together)"
    assert {name: one["state"] for name, one in verdicts.items()} == {
        "a": "ok",
        "b": "ok",
        "c": "ok",
        together: "drift",
    }
    assert verdicts[together]["p_value"] < 1e-20


def test_a_row_without_one_of_the_numbers_is_missing_from_all_together(tmp_path: Path) -> None:
    then = {"a": [*range(30)], "b": [*range(30)]}
    now = {"a": [None, *range(29)], "b": [*range(29), None]}
    _, verdict = found(compared(tmp_path, then, now, "--together", "--json"), "(numeric columns together)")
    assert verdict["missing"] == {"reference": 0, "current": 2}


@pytest.mark.parametrize(
    ("then", "now", "state", "reason"),
    [
        (vectors(300, seed=1), vectors(19, seed=2), "not_enough_data", "an embedding needs 20 rows on each side"),
        (vectors(300, seed=1), [[float("nan")] * 8] * 30, "no_traffic", "there is no current value"),
        (vectors(300, seed=1), [None] * 30, "no_traffic", "there is no current value"),
        ([[None] * 8] * 30, vectors(300, seed=1), "no_reference", "the reference holds no value"),
        ([[1.0, 2.0]] * 30, [[1.0, 2.0]] * 30, "ok", None),
        ([[1.0, 2.0]] * 30, [[1.0, 1e308]] * 30, "drift", None),
    ],
)
def test_states_of_embeddings(tmp_path: Path, then: Any, now: Any, state: str, reason: str | None) -> None:
    statistics, verdict = found(compared(tmp_path, {"v": then}, {"v": now}, "--json"))
    assert (verdict["state"], verdict.get("reason")) == (state, reason)
    assert "NaN" not in json.dumps([statistics, verdict])


def test_in_order_an_embedding_is_told_and_not_decided(tmp_path: Path) -> None:
    times = [1_700_000_000_000 + at * HOUR for at in range(300)]
    then, now = vectors(300, seed=1), vectors(300, seed=1, shift=1.0)
    ended = compared(tmp_path, {"t": times, "v": then}, {"t": times, "v": now}, "--time", "t", "--json")
    _, verdict = found(ended)
    assert ended.code == 0
    assert verdict["p_value"] < 1e-12
    assert verdict["state"] == "not_enough_data"
    assert verdict["reason"] == "its p-value takes rows as independent, and here they are in order"


@pytest.mark.parametrize(
    ("then", "now", "options", "said"),
    [
        (
            {"v": [[1.0, 2.0], [3.0]]},
            {"v": [[1.0, 2.0]]},
            [],
            "then.jsonl: v: row 2: holds 1 numbers, and rows before 2; ",
        ),
        (
            {"v": [[1.0, 2.0]]},
            {"v": [[1.0]]},
            [],
            "now.jsonl: v: holds vectors of 1 numbers, and in the reference of 2; ",
        ),
        ({"v": [[]]}, {"v": [[]]}, [], "then.jsonl: v: row 1: is a list without numbers; --exclude v"),
        (
            {"v": [[1.0]]},
            {"v": [2.0]},
            [],
            "now.jsonl: v: holds double values, and in the reference vectors; --exclude v",
        ),
        (
            {"v": [1.0]},
            {"v": [[2.0]]},
            [],
            "now.jsonl: v: holds list<item: double> values, and in the reference numbers; ",
        ),
        ({"v": [["a"]]}, {"v": [["a"]]}, [], "then.jsonl: v: is of type list<item: string>, which is neither numbers"),
        ({"a": [1.0]}, {"a": [1.0]}, ["--together"], "then.jsonl: --together needs two numeric columns, here are a"),
    ],
)
def test_what_cannot_be_compared_names_file_and_column(
    tmp_path: Path, then: Any, now: Any, options: list[str], said: str
) -> None:
    ended = compared(tmp_path, then, now, *options)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_together_needs_rows_on_both_sides(tmp_path: Path) -> None:
    rows = str(write(tmp_path / "rows.csv", {"a": [*range(50)], "b": [*range(50)]}))
    built = str(tmp_path / "reference.json")
    assert driftline("reference", "build", "--model", "m", "--from", rows, "-o", built).code == 0
    ended = driftline("compare", built, rows, "--together")
    assert ended.code == 2
    assert "reference.json: is a profile, and --together needs the reference's rows" in ended.err


def test_a_statistic_that_embeddings_have_not_is_refused_with_the_matrix(tmp_path: Path) -> None:
    ended = compared(tmp_path, {"v": vectors(30, seed=1)}, {"v": vectors(30, seed=2)}, "--statistic", "psi")
    assert ended.code == 2
    assert ended.err.startswith("driftline has no psi of embedding column.")


def test_the_page_says_that_vectors_have_no_histogram(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ended = compared(tmp_path, {"v": vectors(30, seed=1)}, {"v": vectors(25, seed=2)}, "--html", str(page))
    assert ended.code == 0
    assert "30 vectors of the reference, 25 now: they have no histogram." in page.read_text()
    assert "<svg" not in page.read_text()
