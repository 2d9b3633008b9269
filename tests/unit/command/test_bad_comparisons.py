"""Files that nobody means to have, compared: in order, together and as vectors; a named state or a clear error, in every form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.support.command import driftline

ROWS = 800
DRAWN = np.random.default_rng(1).normal(size=(2, ROWS))
FINE = {"x": DRAWN[0].tolist(), "y": DRAWN[1].tolist()}
INF = float("inf")
#: No number that a table or a page should hold.
NOTHING = re.compile(r"(?<![\w-])(nan|NaN|None|inf|Infinity)(?!\w)")
TOGETHER = "(numeric columns together)"

State = str | dict[str, str]


def file(path: Path, columns: dict[str, list[Any]], *, kind: pa.DataType) -> str:
    """Twenty rows an hour."""
    rows = len(next(iter(columns.values())))
    times = pa.array([1_357_000_000_000 + at // 20 * 3_600_000 for at in range(rows)], pa.int64())
    typed = {name: pa.array(values, kind) for name, values in columns.items()}
    parquet.write_table(pa.table({"at": times, **typed}), path)
    return str(path)


def compared(folder: Path, then: dict[str, Any], now: dict[str, Any], *options: str, kind: pa.DataType) -> State:
    """The state of each column, the same as JSON, table and page; or the error's last words."""
    files = file(folder / "then.parquet", then, kind=kind), file(folder / "now.parquet", now, kind=kind)
    words = ("compare", *files, *(options or ("--exclude", "at")))
    ended = driftline(*words, "--json", "--html", str(folder / "page.html"))
    if ended.code == 2:
        assert driftline(*words).err == ended.err
        return ended.err.strip().rpartition(".parquet: ")[2]
    table, page = driftline(*words), (folder / "page.html").read_text()
    found = json.loads(ended.out, parse_constant=pytest.fail)["verdicts"]
    states = {name: one["state"] for name, one in found.items()}
    assert (ended.err, table.err) == ("", "")
    assert ended.code == table.code == int("drift" in states.values())
    assert NOTHING.search(table.out) is None, table.out
    assert NOTHING.search(re.sub(r"<style.*</style>", "", page, flags=re.S)) is None
    return states


#: What each becomes alone, in order, and together with another; as the current rows and as the reference's.
NUMBERS: dict[str, tuple[list[Any], tuple[str, str, str], tuple[str, str, str]]] = {
    "missing": ([None] * ROWS, ("drift", "no_traffic", "no_traffic"), ("drift", "no_reference", "no_reference")),
    "infinite": ([INF, -INF] * 400, ("drift", "no_traffic", "no_traffic"), ("drift", "no_reference", "no_reference")),
    "equal": ([7.0] * ROWS, ("drift", "drift", "drift"), ("drift", "not_enough_data", "drift")),
    "huge": ((DRAWN[0] * 3e307).tolist(), ("drift", "drift", "drift"), ("drift", "drift", "drift")),
    "tiny": ((DRAWN[0] * 1e-310).tolist(), ("drift", "drift", "drift"), ("drift", "drift", "drift")),
}
BAD = {name: values for name, (values, *_) in NUMBERS.items()}
GOOD = dict.fromkeys(NUMBERS, FINE["x"])


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("mode", [0, 1])
def test_numbers(tmp_path: Path, side: int, mode: int) -> None:
    sides = (GOOD, BAD) if side == 0 else (BAD, GOOD)
    options = ("--exclude", "at") if mode == 0 else ("--time", "at")
    expected = {name: states[side][mode] for name, (_, *states) in NUMBERS.items()}
    assert compared(tmp_path, *sides, *options, kind=pa.float64()) == expected


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_together(tmp_path: Path, name: str, side: int) -> None:
    bad = {"x": BAD[name], "y": BAD[name][::-1]}
    sides = (FINE, bad) if side == 0 else (bad, FINE)
    said = compared(tmp_path, *sides, "--exclude", "at", "--together", "--statistic", "mmd", kind=pa.float64())
    assert isinstance(said, dict)
    assert said[TOGETHER] == NUMBERS[name][1 + side][2]


def test_a_column_called_like_all_of_them_is_not_hidden_by_them(tmp_path: Path) -> None:
    """It was overwritten, and its own drift with it."""
    named = FINE | {TOGETHER: [1.0] * ROWS}
    said = compared(tmp_path, named, named, "--exclude", "at", "--together", kind=pa.float64())
    assert said == f"{TOGETHER}: is what --together calls its own; --exclude it, or give it another name"


@pytest.mark.parametrize("options", [("--exclude", "at", "--together"), ("--time", "at", "--together")])
def test_one_row(tmp_path: Path, options: tuple[str, ...]) -> None:
    one = {name: values[:1] for name, values in FINE.items()}
    for sides in ((FINE, one), (one, FINE), (one, one)):
        said = compared(tmp_path, *sides, *options, kind=pa.float64())
        assert said == dict.fromkeys([TOGETHER, "x", "y"], "not_enough_data")


MANY = [f"n{at}" for at in range(ROWS)]


#: The reference's rows, the current ones, and what that is, alone and in order.
NAMES: list[tuple[list[Any], list[Any], str, str]] = [
    (["a", "b"] * 400, ["a"] * ROWS, "drift", "drift"),
    (["a"] * ROWS, ["a"] * ROWS, "ok", "not_enough_data"),
    (["a"] * ROWS, ["b"] * ROWS, "drift", "not_enough_data"),
    (["a", "b"] * 400, MANY, "drift", "drift"),
    (MANY, MANY, "ok", "not_enough_data"),
    (["a", "b"] * 400, [None] * ROWS, "drift", "no_traffic"),
    ([None] * ROWS, ["a"] * ROWS, "drift", "no_reference"),
    ([""] * ROWS, ["<b>"] * ROWS, "drift", "not_enough_data"),
]


@pytest.mark.parametrize(("options", "mode"), [(("--exclude", "at"), 2), (("--time", "at"), 3)])
def test_names(tmp_path: Path, options: tuple[str, ...], mode: int) -> None:
    then, now = ({f"x{at}": row[side] for at, row in enumerate(NAMES)} for side in (0, 1))
    expected = {f"x{at}": row[mode] for at, row in enumerate(NAMES)}
    assert compared(tmp_path, then, now, *options, kind=pa.string()) == expected


VECTORS = DRAWN.reshape(-1, 4)[:200].tolist()


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (VECTORS, "ok"),
        (VECTORS[:1], "not_enough_data"),
        ([None] * 30, "no_traffic"),
        ([[INF, 0.0, 0.0, 0.0], [float("nan")] * 4, [None, 0.0, 0.0, 0.0]] * 10, "no_traffic"),
        ([[1.0, 2.0, 3.0, 4.0]] * 30, "drift"),
        ((np.array(VECTORS) * 3e307).tolist(), "drift"),
        ([[]] * 30, "x: row 1: is a list without numbers; --exclude x leaves it out"),
        ([[1.0] * 4, [1.0]], "x: row 2: holds 1 numbers, and rows before 4; --exclude x leaves it out"),
        ([[1.0]] * 30, "x: holds vectors of 1 numbers, and in the reference of 4; --exclude x leaves it out"),
        ([], "holds no rows"),
    ],
)
def test_vectors(tmp_path: Path, now: list[Any], said: str) -> None:
    found = compared(tmp_path, {"x": VECTORS}, {"x": now}, kind=pa.list_(pa.float64()))
    assert found == (said if " " in said else {"x": said})
    if isinstance(found, dict) and said != "no_traffic":
        in_order = compared(tmp_path, {"x": VECTORS}, {"x": now}, "--time", "at", kind=pa.list_(pa.float64()))
        assert in_order == {"x": "not_enough_data"}


@pytest.mark.parametrize("options", [(), ("--time", "at"), ("--exclude", "at", "--together")])
def test_no_rows_on_a_side(tmp_path: Path, options: tuple[str, ...]) -> None:
    empty: dict[str, list[Any]] = {"x": [], "y": []}
    for sides in ((FINE, empty), (empty, FINE)):
        assert compared(tmp_path, *sides, *options, kind=pa.float64()) == "holds no rows"


def test_fewer_than_twenty_stretches_decide_nothing_in_order_and_do_where_rows_are_independent(tmp_path: Path) -> None:
    short = {"x": FINE["x"][: 19 * 20]}
    later = {"x": (DRAWN[1][:200] + 5.0).tolist()}
    assert compared(tmp_path, short, later, kind=pa.float64()) == {"x": "drift"}
    assert compared(tmp_path, short, later, "--time", "at", kind=pa.float64()) == {"x": "not_enough_data"}
    assert compared(tmp_path, {"x": FINE["x"]}, later, "--time", "at", kind=pa.float64()) == {"x": "drift"}
