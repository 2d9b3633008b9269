"""`driftline compare`: what it says of two files, of a profile and a file, and of files that cannot be compared."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.command import Ended, driftline
from tests.support.row_files import CURRENT, NOW, REFERENCE, THEN, write

HOUR = 3_600_000


def files(folder: Path, suffix: str = ".csv") -> tuple[str, str]:
    """The published columns: temp drifts, kind has a new name, step does not change."""
    steps = [float(at % 7) for at in range(2000)], [float(at * 3 % 7) for at in range(1500)]
    then = {"temp": REFERENCE.tolist(), "kind": THEN, "step": steps[0]}
    now = {"temp": CURRENT.tolist(), "kind": NOW, "step": steps[1]}
    return str(write(folder / f"then{suffix}", then)), str(write(folder / f"now{suffix}", now))


def found(ended: Ended) -> Any:
    """The JSON of a comparison that ended with a verdict."""
    assert ended.err == ""
    assert ended.code in (0, 1)
    return json.loads(ended.out)


def profile(folder: Path, rows: str, *options: str) -> str:
    output = folder / "reference.json"
    assert driftline("reference", "build", "--model", "m", "--from", rows, "-o", str(output), *options).code == 0
    return str(output)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_the_published_numbers_from_any_kind_of_file(tmp_path: Path, suffix: str) -> None:
    ended = driftline("compare", *files(tmp_path, suffix), "--json")
    said = found(ended)

    assert ended.code == 1
    ks = said["features"]["temp"]["ks"]
    assert ks["value"] == pytest.approx(244 / 1500, rel=1e-12)
    assert ks["p_value"] == pytest.approx(2.998894579744038e-20, rel=1e-12, abs=0)
    assert {key: ks[key] for key in ("n", "n_reference", "convention", "state")} == {
        "n": 1500,
        "n_reference": 2000,
        "convention": "driftline",
        "state": "drift",
    }
    assert {name: one["state"] for name, one in said["verdicts"].items()} == {
        "kind": "drift",
        "step": "ok",
        "temp": "drift",
    }
    assert said["rows"] == {"reference": 2000, "current": 1500}
    assert {name: one["unseen"] for name, one in said["verdicts"].items()} == {"kind": 30, "step": 0, "temp": 0}


def test_every_statistic_of_every_feature(tmp_path: Path) -> None:
    said = found(driftline("compare", *files(tmp_path), "--json"))["features"]
    numeric = ["psi", "kl", "js", "hellinger", "tv", "linf", "wasserstein", "ks", "cvm", "mmd"]
    assert {name: list(one) for name, one in said.items()} == {
        "kind": ["psi", "kl", "js", "hellinger", "tv", "linf", "chi2", "cramers_v", "z"],
        "step": numeric,
        "temp": numeric,
    }
    assert said["kind"]["z"]["reason"] == "z compares two proportions: two names, not 5"
    assert all(
        one["value"] is None or math.isfinite(one["value"]) for feature in said.values() for one in feature.values()
    )


@pytest.mark.parametrize(
    ("statistic", "convention", "feature", "value"),
    [
        ("psi", "deciles", "temp", 0.11381495826961872),
        ("psi", "evidently", "temp", 0.05438623105656659),
        ("psi", "frouros", "temp", 0.030990327579232063),
        ("js", "nannyml", "temp", 0.34941385866535857),
        ("wasserstein", "evidently", "temp", 0.1345312077922324),
        ("psi", "deepchecks", "kind", 0.0145114199616971),
    ],
)
def test_one_statistic_under_another_convention(
    tmp_path: Path, statistic: str, convention: str, feature: str, value: float
) -> None:
    ended = driftline("compare", *files(tmp_path), "--statistic", statistic, "--convention", convention, "--json")
    [(name, one)] = found(ended)["features"][feature].items()
    assert (name, one["convention"]) == (statistic, convention)
    assert one["value"] == pytest.approx(value, rel=1e-12, abs=0)


def test_a_profile_in_place_of_rows(tmp_path: Path) -> None:
    then, now = files(tmp_path)
    built = profile(tmp_path, then)
    of_rows, of_profile = (found(driftline("compare", one, now, "--json")) for one in (then, built))

    assert of_profile["verdicts"] == of_rows["verdicts"] | {
        name: one | {"rules": of_profile["verdicts"][name]["rules"]} for name, one in of_rows["verdicts"].items()
    }
    assert of_profile["features"]["temp"]["psi"] == of_rows["features"]["temp"]["psi"]
    assert of_profile["features"]["temp"]["ks"]["convention"] == "driftline (stored bins)"
    assert of_profile["features"]["kind"]["chi2"] == of_rows["features"]["kind"]["chi2"]
    evidently = found(driftline("compare", built, now, "--json", "--convention", "evidently", "--statistic", "psi"))
    assert evidently["features"]["temp"]["psi"]["value"] is None
    assert (
        evidently["features"]["temp"]["psi"]["reason"]
        == "evidently needs the reference's rows; the reference is a profile"
    )


def test_a_pair_that_makes_no_sense_is_refused_with_the_matrix(tmp_path: Path) -> None:
    ended = driftline("compare", *files(tmp_path), "--statistic", "cramers_v", "--convention", "evidently")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("evidently has no cramers_v of categorical or numeric columns.")
    matrix = [line.split() for line in ended.err.splitlines()[1:]]
    assert matrix[0] == [
        *("driftline", "deciles", "percentile", "evidently", "nannyml"),
        *("frouros", "whylabs", "fiddler", "deepchecks"),
    ]
    assert matrix[1] == ["psi", "nc", "nc", "n", "NC", "-", "N", "NC", "nc", "C"]
    assert [row[0] for row in matrix[1:]] == [
        *("psi", "kl", "js", "hellinger", "tv", "linf", "wasserstein"),
        *("ks", "cvm", "chi2", "cramers_v", "z", "mmd"),
    ]


def test_a_statistic_of_numbers_where_all_columns_are_names(tmp_path: Path) -> None:
    then, now = write(tmp_path / "a.csv", {"kind": THEN}), write(tmp_path / "b.csv", {"kind": NOW})
    ended = driftline("compare", str(then), str(now), "--statistic", "ks")
    assert ended.code == 2
    assert ended.err.startswith("driftline has no ks of categorical column.")
    assert driftline("compare", str(then), str(now), "--convention", "percentile").code == 2


def test_no_drift_ends_with_0(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    columns = [{f"x{at}": draw.standard_normal(size).tolist() for at in range(10)} for size in (800, 300)]
    then, now = (write(tmp_path / f"{at}.csv", one) for at, one in enumerate(columns))
    ended = driftline("compare", str(then), str(now))
    assert (ended.code, ended.err) == (0, "")
    assert "0 of 10 columns drifted (false-discovery rate 0.01, rows independent)" in ended.out


def test_the_table_for_people(tmp_path: Path) -> None:
    then, now = files(tmp_path)
    ended = driftline("compare", then, now, "--statistic", "psi", "--statistic", "chi2", "--exclude", "step")
    assert ended.code == 1
    rows = [line.split() for line in ended.out.splitlines()]
    assert rows[1] == ["feature", "kind", "state", "p", "p", "psi", "chi2"]
    assert [row[:3] for row in rows[2:4]] == [["temp", "numeric", "drift"], ["kind", "categorical", "drift"]]
    assert rows[2][-2:] == ["0.113033", "–"]
    assert "2000 rows of reference, 1500 current; convention driftline" in ended.out


def test_a_fixed_rule_decides_in_place_of_the_test(tmp_path: Path) -> None:
    ended = driftline("compare", *files(tmp_path), "--rule", "psi-0.1-0.25", "--json")
    said = found(ended)["verdicts"]
    assert {name: (one["state"], one["rules"]["psi-0.1-0.25"]) for name, one in said.items()} == {
        "kind": ("ok", "none"),
        "step": ("ok", "none"),
        "temp": ("drift", "moderate"),
    }
    assert said["kind"]["p_value"] < 1e-6


def test_rows_whose_order_is_named_are_not_independent(tmp_path: Path) -> None:
    draw = np.random.default_rng(8)
    wander = np.repeat(np.convolve(draw.standard_normal(409), np.ones(10) / 3.0, "valid"), 10)
    times = [int(1_700_000_000_000 + at * HOUR) for at in np.repeat(np.arange(400), 10)]
    then = {"at": times, "x": (wander + draw.standard_normal(4000)).tolist()}
    now = {"at": times[:100], "x": (0.9 + draw.standard_normal(100)).tolist()}
    paths = str(write(tmp_path / "then.csv", then)), str(write(tmp_path / "now.csv", now))

    alone = found(driftline("compare", *paths, "--exclude", "at", "--json"))
    ordered = driftline("compare", *paths, "--time", "at", "--json")
    built = profile(tmp_path, paths[0], "--time", "at")
    assert (alone["verdicts"]["x"]["state"], alone["rows_independent"]) == ("drift", True)
    assert (ordered.code, found(ordered)["verdicts"]["x"]["state"], found(ordered)["rows_independent"]) == (
        0,
        "ok",
        False,
    )
    assert found(ordered)["verdicts"]["x"]["p_value"] == pytest.approx(
        found(driftline("compare", built, paths[1], "--time", "at", "--json"))["verdicts"]["x"]["p_value"], rel=1e-12
    )
    few = found(driftline("compare", *paths, "--time", "at", "--pane", "30h", "--json"))["verdicts"]["x"]
    assert (few["state"], few["reason"]) == ("not_enough_data", "15 blocks of this length, fewer than 20")


def test_a_column_to_leave_out_is_there_on_one_side_at_least(tmp_path: Path) -> None:
    then, now = (
        write(tmp_path / "then.csv", {"x": [1], "old": [1]}),
        write(tmp_path / "now.csv", {"x": [1], "new": [1]}),
    )
    built = profile(tmp_path, str(then))
    for reference in (str(then), built):
        words = ("compare", reference, str(now), "--statistic", "psi", "--exclude")
        assert [driftline(*words, name).code for name in ("old", "new", "ne")] == [0, 0, 2]
        assert "did you mean new?" in driftline(*words, "ne").err


def test_columns_that_one_side_has_alone(tmp_path: Path) -> None:
    then = write(tmp_path / "then.csv", {"x": [1, 2, 3], "gone": [1, 1, 1]})
    now = write(tmp_path / "now.csv", {"x": [1, 2, 3], "new": [1, 1, 1]})
    ended = driftline("compare", str(then), str(now), "--statistic", "psi")
    assert ended.code == 0
    assert "only in the reference, not compared: gone" in ended.out
    assert "only in the current file, not compared: new" in ended.out
    assert "x: not_enough_data, a bin needs to expect five rows of both sides" in ended.out


@pytest.mark.parametrize(
    ("then", "now", "options", "said"),
    [
        ({"x": [1]}, {"y": [1]}, (), "has no column of the reference, which has x"),
        ({"x": [1, 2, 3, "?"]}, {"x": [1]}, (), "row 4: '?' is no number, but 3 of 4 values are"),
        ({"x": [1, 2]}, {"x": ["a", "b"]}, (), "holds string values, and in the reference numbers; "),
        (
            {"x": [None, None], "z": [1, 2]},
            {"x": ["a", "b"]},
            (),
            "holds string values, and in the reference no value; ",
        ),
        ({"x": [1]}, {"x": [1]}, ("--time", "at"), "no such column. The file has x"),
        ({"x": [1]}, {"x": [1]}, ("--categorical", "xx"), "no such column, did you mean x?"),
        ({"x": [1]}, {"x": [1]}, ("--exclude", "xx"), "none in the reference, did you mean x? The file has x"),
        ({"x": [1], "at": ["?"]}, {"x": [1], "at": [0]}, ("--time", "at"), "row 1: '?'"),
    ],
)
def test_a_file_that_cannot_be_compared(
    tmp_path: Path, then: dict[str, Any], now: dict[str, Any], options: tuple[str, ...], said: str
) -> None:
    paths = str(write(tmp_path / "then.csv", then)), str(write(tmp_path / "now.csv", now))
    ended = driftline("compare", *paths, *options)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert str(tmp_path) in ended.err


def test_names_where_a_profile_has_numbers_ask_for_another_profile(tmp_path: Path) -> None:
    built = profile(tmp_path, str(write(tmp_path / "then.csv", {"x": [1, 2], "y": [None, None]})))
    for column, held in (("x", "numbers"), ("y", "no value")):
        ended = driftline("compare", built, str(write(tmp_path / "now.csv", {column: ["a", "b"]})))
        assert f"holds string values, and in the reference {held}; " in ended.err
        assert f"a reference built with --categorical {column} takes both as names" in ended.err


def test_files_that_are_none(tmp_path: Path) -> None:
    rows = str(write(tmp_path / "rows.csv", {"x": [1]}))
    empty = write(tmp_path / "empty.csv", {"x": []})
    (tmp_path / "broken.json").write_text("{}")
    for reference, current, said in [
        (str(tmp_path / "none.csv"), rows, "no such file"),
        (str(tmp_path / "none.json"), rows, "no such file"),
        (str(tmp_path), rows, "is a folder; name a file in it"),
        (rows, str(empty), "holds no rows"),
        (str(tmp_path / "broken.json"), rows, "not a reference"),
        (rows, str(tmp_path / "broken.json"), "must end in one of .csv"),
    ]:
        ended = driftline("compare", reference, current)
        assert (ended.code, said in ended.err) == (2, True), ended


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--statistic", "ksi"), "is none of psi kl js"),
        (("--convention", "nobody"), "is none of driftline deciles"),
        (("--fdr", "0"), "is not between 0 and 1"),
        (("--rule", "psi"), "is none of psi-0.1-0.25"),
        (("--pane", "1 hour"), "must be a duration"),
        (("--time", "at", "--exclude", "at"), "--exclude at names the column of --time"),
    ],
)
def test_an_option_that_is_wrong(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    ended = driftline("compare", *files(tmp_path), *options)
    assert ended.code == 2
    assert said in " ".join(ended.err.replace("│", " ").split())


def test_a_column_without_a_value_now(tmp_path: Path) -> None:
    then = write(tmp_path / "then.csv", {"x": list(range(50)), "kind": ["a", "b"] * 25})
    now = write(tmp_path / "now.csv", {"x": [None] * 40 + [math.inf] * 10, "kind": [None] * 50})
    ended = driftline("compare", str(then), str(now), "--json", "--convention", "deciles")
    said = found(ended)
    assert ended.code == 1
    assert said["features"]["x"]["psi"]["value"] is None
    assert said["features"]["x"]["psi"]["reason"] == "there is no current value"
    assert said["verdicts"]["x"]["state"] == said["verdicts"]["kind"]["state"] == "drift"
    assert said["verdicts"]["x"]["missing"] == said["verdicts"]["kind"]["missing"] == {"reference": 0, "current": 50}
    assert "NaN" not in ended.out
    assert "Infinity" not in ended.out
