"""`driftline reference build` reads a file in batches: the reference is that of the rows in memory, which need not fit there."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import csv, parquet

from detectors import pane_counts
from detectors.profile import build_reference, coded, panes_of
from schemas.errors import ConfigError
from schemas.reference import CategoricalProfile, NumericProfile, Reference
from stream.command import batches, csv_batches, json_batches
from stream.command.csv_batches import number_of
from stream.command.reference_file import Build, Parts, reference_of
from stream.command.spool import Numbers

HOUR = 3_600_000
START = 1_357_034_400_000
ROWS = 1_000
PARTS = Parts(time="at", score="score", outcome="late")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows at a time, everywhere."""
    monkeypatch.setattr(csv_batches, "BLOCK", 128)
    monkeypatch.setattr(json_batches, "LINES", 7)
    monkeypatch.setattr(batches, "ROWS", 13)
    monkeypatch.setattr(pane_counts, "CHUNK", 17)


def reference(file: Path, parts: Parts = PARTS, **changes: Any) -> Reference:
    return reference_of(file, parts, Build("m", HOUR, file.parent, **changes))


def columns() -> dict[str, Any]:
    random = np.random.default_rng(3)
    temp = np.where(random.random(ROWS) < 0.3, 0.0, random.normal(size=ROWS))
    return {
        "at": START + random.integers(0, 60 * HOUR, size=ROWS),
        "temp": [None if one < 0.1 else float(value) for one, value in zip(random.random(ROWS), temp, strict=True)],
        "city": [None if at % 19 == 0 else f"c{at}" for at in random.integers(0, 300, size=ROWS).tolist()],
        "score": random.random(ROWS),
        "late": random.integers(0, 2, size=ROWS),
    }


def in_memory(rows: dict[str, Any]) -> Reference:
    return build_reference(
        "m",
        {"temp": np.array(rows["temp"], dtype=float), "city": coded(rows["city"])},
        panes=panes_of(rows["at"], pane_ms=HOUR),
        score=rows["score"],
        outcomes=coded(str(outcome) for outcome in rows["late"]),
    )


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_the_hash_is_that_of_the_rows_in_memory(tmp_path: Path, kind: str) -> None:
    rows, file = columns(), tmp_path / f"rows.{kind}"
    table = pa.table(rows)
    if kind == "csv":
        csv.write_csv(table, file)
    elif kind == "parquet":
        parquet.write_table(table, file, row_group_size=100)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    told: list[tuple[str, int, int | None]] = []

    assert reference(file, told=lambda *heard: told.append(heard)).hash == in_memory(rows).hash
    read = [number for what, number, _ in told if what == "rows"]
    assert read == sorted(read)
    assert read[-1] == ROWS
    assert told[-2:] == [("columns", 1, 2), ("columns", 2, 2)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name]


def lines(tmp_path: Path, *values: object, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_text("".join(f"{value}\n" for value in values))
    return path


def only(found: Reference, name: str = "x") -> NumericProfile | CategoricalProfile:
    return found.features[name]


def test_a_column_of_numbers_for_many_blocks_may_yet_be_text(tmp_path: Path) -> None:
    file = lines(tmp_path, "x,y", *(f"{n},{n}" for n in range(300)), *(f"a{n},{n}" for n in range(300)))
    found = reference(file, Parts())
    x, y = found.features["x"], found.features["y"]
    assert isinstance(x, CategoricalProfile)
    assert (len(x.categories), x.rows, x.missing) == (600, 600, 0)
    assert "007" not in x.categories
    assert "7" in x.categories
    assert isinstance(y, NumericProfile)


def test_text_first_and_numbers_then_is_text_as_long_as_half_of_it_is(tmp_path: Path) -> None:
    text = only(reference(lines(tmp_path, "x", *["a"] * 300, *range(300)), Parts()))
    assert isinstance(text, CategoricalProfile)
    assert text.counts[0] == 300
    with pytest.raises(ConfigError, match=r"x: row 1: 'a' is no number, but 301 of 600 values are; correct it"):
        reference(lines(tmp_path, "x", *["a"] * 299, *range(301)), Parts())


def test_a_mistake_is_named_by_its_row_in_the_whole_file(tmp_path: Path) -> None:
    file = lines(tmp_path, "x", *range(500), "oops", *range(500))
    with pytest.raises(ConfigError, match=r"x: row 501: 'oops' is no number, but 1000 of 1001 values are"):
        reference(file, Parts())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]


@pytest.mark.parametrize("bad", ["", "yesterday"])
def test_a_bad_time_is_named_by_its_row_in_the_whole_file(tmp_path: Path, bad: str) -> None:
    file = lines(tmp_path, "at,x", *(f"{START},1" for _ in range(200)), f"{bad},1")
    with pytest.raises(ConfigError, match="at: row 201: "):
        reference(file, Parts(time="at"))


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
@pytest.mark.parametrize("value", ["2.5", '"b"'])
def test_a_column_that_begins_late_is_missing_before_and_after(tmp_path: Path, name: str, value: str) -> None:
    if name.endswith("csv"):
        file = lines(tmp_path, "x,y", *["NA,1"] * 90, f"{value},1", *[",1"] * 59, name=name)
    else:
        file = lines(tmp_path, *['{"y": 1}'] * 90, f'{{"x": {value}}}', *["{}"] * 59, name=name)
    profile = only(reference(file, Parts()))
    assert (profile.rows, profile.missing, sum(profile.counts)) == (150, 149, 1)
    assert isinstance(profile, NumericProfile) == (value == "2.5")


def test_a_column_of_parquet_keeps_its_type_without_a_value(tmp_path: Path) -> None:
    kinds = {"s": pa.string(), "n": pa.int64(), "z": pa.null(), "d": pa.dictionary(pa.int32(), pa.string())}
    file = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({name: pa.nulls(40, kind) for name, kind in kinds.items()}), file)
    found = reference(file, Parts())
    numeric = {name: isinstance(profile, NumericProfile) for name, profile in found.features.items()}
    assert numeric == {"s": False, "n": True, "z": True, "d": False}
    assert {profile.missing for profile in found.features.values()} == {40}


def test_a_wrong_name_is_told_before_the_rows_are_read(tmp_path: Path) -> None:
    read: list[int] = []
    with pytest.raises(ConfigError, match="tmep: no such column, did you mean temp"):
        reference(
            lines(tmp_path, "temp", *range(500)),
            Parts(time="tmep"),
            told=lambda what, number, total: read.append(number),
        )
    assert read == []


def test_a_full_disk_is_told_as_such() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(
        ConfigError, match="/dev: cannot hold the columns meanwhile, 8 bytes a value: No space left on device"
    ):
        Numbers(full).append(pa.array([1.0] * 10_000))


spellings = st.one_of(st.floats().map(repr), st.text(alphabet="0123456789.eE+-_ infa()xd", max_size=8))


@given(st.lists(spellings, min_size=1, max_size=9))
@example(["nan(1)"])
@example([" 1", "1e400", "+1", "1_0"])
def test_numbers_read_in_bulk_are_those_read_one_by_one(texts: list[str]) -> None:
    found = csv_batches._cast(pa.array(texts))
    assert found is None or [repr(value) for value in found.to_pylist()] == [repr(number_of(text)) for text in texts]
