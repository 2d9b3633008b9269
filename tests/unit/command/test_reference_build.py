"""`driftline reference build`: what it makes of each kind of file, and what it says of the others."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from detectors.psi import deciles_numeric
from schemas.reference import CategoricalProfile, NumericProfile, Reference
from stream.command.reference import app

HOUR = 3_600_000
START = 1_357_034_400_000  # 2013-01-01T10:00:00Z, a full hour
ROWS: list[dict[str, Any]] = [
    {"at": START + 900_000, "temp": 39.5, "carrier": "UA", "score": 0.25, "late": 0},
    {"at": START + 3 * HOUR, "temp": None, "carrier": None, "score": 0.5, "late": 1},
    {"at": START, "temp": 41.0, "carrier": "AA", "score": 0.75, "late": 0},
    {"at": START + 1, "temp": 39.5, "carrier": "UA", "score": 0.5, "late": None},
]
CSV = "at,temp,carrier,score,late\n" + "".join(
    ",".join("" if value is None else str(value) for value in row.values()) + "\n" for row in ROWS
)
PARTS = ("--time", "at", "--score", "score", "--outcome", "late")


def build(file: Path, *options: str) -> Result:
    output = str(file.with_name("reference.json"))
    return CliRunner().invoke(app, ["build", "--model", "m", "--from", str(file), "-o", output, *options])


def built(file: Path, *options: str) -> Reference:
    result = build(file, *options)
    assert result.exit_code == 0, result.output
    return Reference.from_json(file.with_name("reference.json").read_bytes())


def refused(file: Path, *options: str) -> str:
    """What is said, without the path; the exit code is that of wrong use and nothing is written."""
    result = build(file, *options)
    assert result.exit_code == 2
    assert list(file.parent.glob("*reference.json*")) == []
    return result.stderr.strip().removeprefix(str(file)).removeprefix(": ")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def as_parquet(path: Path, *, at: pa.Array) -> Path:
    parquet.write_table(pa.Table.from_pylist(ROWS).set_column(0, "at", at), path)
    return path


def numeric(reference: Reference, name: str) -> NumericProfile:
    profile = reference.features[name]
    assert isinstance(profile, NumericProfile)
    return profile


def names(reference: Reference, name: str) -> CategoricalProfile:
    profile = reference.features[name]
    assert isinstance(profile, CategoricalProfile)
    return profile


def test_a_csv_file_in_full(tmp_path: Path) -> None:
    reference = built(write(tmp_path / "rows.csv", CSV), *PARTS)

    assert (reference.model, reference.rows, reference.pane_ms) == ("m", 4, HOUR)
    assert reference.pane_starts == (START, START + HOUR, START + 2 * HOUR, START + 3 * HOUR)
    assert list(reference.features) == ["carrier", "temp"]
    temp, carrier = numeric(reference, "temp"), names(reference, "carrier")
    assert (temp.missing, temp.minimum, temp.maximum, temp.mean) == (1, 39.5, 41.0, 40.0)
    bins = len(temp.counts)
    assert temp.pane_counts == ((1, 2, bins - 2, 1), (), (), (bins, 1))
    assert (carrier.categories, carrier.counts, carrier.missing) == (("UA", "AA"), (2, 1), 1)
    assert carrier.pane_counts == ((0, 2, 1, 1), (), (), (3, 1))
    assert reference.score is not None
    assert reference.score.mean == 0.5
    assert reference.outcomes is not None
    assert (reference.outcomes.categories, reference.outcomes.counts) == (("0", "1"), (2, 1))


@pytest.mark.parametrize("kind", ["jsonl", "parquet of numbers", "parquet of timestamps", "gzip"])
def test_every_kind_of_file_gives_the_same_reference(tmp_path: Path, kind: str) -> None:
    expected = built(write(tmp_path / "rows.csv", CSV), *PARTS)
    times = [row["at"] for row in ROWS]
    if kind == "jsonl":
        file = write(tmp_path / "rows.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS))
    elif kind == "gzip":
        file = tmp_path / "rows.csv.gz"
        file.write_bytes(gzip.compress(CSV.encode()))
    else:
        at = pa.array(times) if kind == "parquet of numbers" else pa.array(times).cast(pa.timestamp("ms", "UTC"))
        file = as_parquet(tmp_path / "rows.parquet", at=at)
    assert built(file, *PARTS).hash == expected.hash


@pytest.mark.parametrize("text", ["2013-01-01T10:00:00Z", "2013-01-01T05:00:00-05:00", str(START)])
def test_times_in_csv_are_rfc_3339_or_milliseconds(tmp_path: Path, text: str) -> None:
    reference = built(write(tmp_path / "rows.csv", f"at,x\n{text},1\n"), "--time", "at", "--pane", "1d")
    assert reference.pane_starts == (int(datetime(2013, 1, 1, tzinfo=UTC).timestamp() * 1000),)
    assert reference.pane_ms == 24 * HOUR


def test_without_a_time_column_the_profile_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", "x\n1\n2\n")
    reference = built(file)
    assert (reference.pane_ms, reference.pane_starts) == (None, None)
    assert numeric(reference, "x").pane_counts == ()
    assert "no time order (no --time)" in build(file).stdout


def test_columns_can_be_left_out_and_numbers_be_names(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", "id,zip,x\na,00501,1\nb,501,2\nc,00501,3\n")
    reference = built(file, "--exclude", "id", "--categorical", "zip")
    assert list(reference.features) == ["x", "zip"]
    assert names(reference, "zip").categories == ("00501", "501")


def test_a_column_is_text_where_at_least_half_of_its_values_are_no_numbers(tmp_path: Path) -> None:
    half = built(write(tmp_path / "rows.csv", "code\n1\n2\nA\nB\nNA\n"))
    assert names(half, "code").categories == ("1", "2", "A", "B")
    (tmp_path / "reference.json").unlink()
    fewer = write(tmp_path / "rows.csv", "code\n1\n2\n3\nA\nB\n")
    assert refused(fewer).startswith("code: row 4: 'A' is no number, but 3 of 5 values are")


def test_true_and_false_are_names_and_infinity_is_no_finite_number(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", '{"b": true, "x": 1e400}\n\n{"b": false, "x": 2, "late": "yes"}\n')
    reference = built(file)
    assert names(reference, "b").categories == ("false", "true")
    assert numeric(reference, "x").nonfinite == 1
    assert names(reference, "late").missing == 1


def test_a_column_without_a_value_is_profiled_as_missing(tmp_path: Path) -> None:
    x = numeric(built(write(tmp_path / "rows.csv", "x,y\nNA,1\n,2\n")), "x")
    assert (x.rows, x.missing, x.edges) == (2, 2, ())


def test_psi_from_the_file_is_the_number_computed_on_the_rows(tmp_path: Path) -> None:
    values = ((np.arange(1, 2001) * 0.6180339887498949) % 1) ** 2 * 10
    current = ((np.arange(1, 1501) * 0.7548776662466927) % 1) ** 1.7 * 11 - 0.5
    file = write(tmp_path / "rows.csv", "x\n" + "".join(f"{value!r}\n" for value in values.tolist()))
    x = numeric(built(file), "x")
    counts = np.bincount(np.searchsorted(x.edges, current, side="right"), minlength=len(x.counts))
    assert deciles_numeric(x, counts) == pytest.approx(0.11381495826961872, rel=1e-12, abs=0)


def test_the_table_names_type_bins_missing_and_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    file = write(tmp_path / "rows.csv", "[bold]x,carrier\n1,UA\n2.5,\n")
    output = build(file).stdout
    lines = [line.split("│")[1:-1] for line in output.splitlines() if "│" in line]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ["[bold]x", "numeric", "14", "0.00%", "1 … 2.5"],
        ["carrier", "categorical", "1", "50.00%", "UA"],
    ]
    assert f"sha256 {built(file).hash}" in output


def test_json_is_for_programs(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", "x,carrier\n1,UA\n2.5,\n")
    printed = json.loads(build(file, "--json").stdout)
    assert printed["sha256"] == built(file).hash
    assert (printed["rows"], printed["panes"]) == (2, None)
    assert printed["features"]["x"]["maximum"] == 2.5
    assert printed["features"]["carrier"] == {"type": "categorical", "bins": 1, "missing": 1, "other": 0}


MOSTLY_NUMBERS = "x\n1\n2\nabc\n4\n"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", (), "cannot be read: Empty CSV file"),
        ("x,y\n", (), "holds no rows"),
        ("x,x\n1,2\n", (), "x: two columns have this name: rename one"),
        ("x,y\n1,2\n3\n", (), "cannot be read: CSV parse error: Row #3: Expected 2 columns, got 1: 3"),
        ("x\n1\n", ("--exclude", "x"), "no column is left to be a feature"),
        ("temp\n1\n", ("--time", "tmep"), "tmep: no such column, did you mean temp? The file has temp"),
        ("temp\n1\n", ("--exclude", "id"), "id: no such column. The file has temp"),
        (
            MOSTLY_NUMBERS,
            (),
            "x: row 3: 'abc' is no number, but 3 of 4 values are; "
            "correct it, or --categorical x takes all as names, or --exclude x",
        ),
        ("s,x\na,1\n", ("--score", "s"), "s: the score must be numbers; it is of type string"),
        ("t,x\n,1\n", ("--time", "t"), "t: row 1: has no time; give it one, or leave such rows out"),
        (
            "t,x\n2013-01-01T00:00:00Z,1\n2013-01-01 05:00:00,2\n",
            ("--time", "t"),
            "t: row 2: '2013-01-01 05:00:00' must be RFC 3339 with an offset, such as 2013-01-01T05:15:00",
        ),
        ("t,x\n1357034400,1\n", ("--time", "t"), "t: row 1: '1357034400' is below 1e11: seconds?"),
        (
            f"t,x\n{START},1\n{START + 1_000_000 * 1000},2\n",
            ("--time", "t", "--pane", "1s"),
            "t: its rows span 1000001 panes of 1s, above 1000000; correct",
        ),
    ],
)
def test_a_csv_file_that_cannot_be_used(tmp_path: Path, text: str, options: tuple[str, ...], message: str) -> None:
    assert refused(write(tmp_path / "rows.csv", text), *options).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"x": 1}\n{"x": \n', ":2: not JSON: Expecting value"),
        ("[1]\n", ":1: must be an object, not a list"),
        (
            '{"x": 1}\n\n{"x": "a"}\n',
            ':3: x: "a" is text, but values before are a number; correct it, or --exclude x',
        ),
        (
            '{"x": [1, 2]}\n',
            "x: is of type list<item: int64>, which is neither numbers nor names; --exclude x",
        ),
        ('{"x": "\\ud800"}\n', "x: cannot be read"),
        ("", "holds no rows"),
    ],
)
def test_json_lines_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    assert refused(write(tmp_path / "rows.jsonl", text)).startswith(message)


def test_an_excluded_column_may_hold_anything(tmp_path: Path) -> None:
    assert list(built(write(tmp_path / "a.csv", "x,y\n1,1\n2,2\na,3\n"), "--exclude", "x").features) == ["y"]
    rows = write(tmp_path / "b.jsonl", '{"x": 1, "y": 1}\n{"x": [], "y": 2}\n')
    assert list(built(rows, "--exclude", "x").features) == ["y"]


def test_a_missing_file_a_strange_name_and_damage_are_wrong_use(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv") == "no such file"
    assert "must end in one of .csv" in refused(write(tmp_path / "rows.txt", "x\n1\n"))
    assert refused(write(tmp_path / "rows.parquet", "x\n1\n")).startswith("cannot be read: Parquet file size")


@pytest.mark.parametrize("pane", ["soon", "0s", "1"])
def test_a_pane_must_be_a_duration(tmp_path: Path, pane: str) -> None:
    result = build(write(tmp_path / "rows.csv", "x\n1\n"), "--pane", pane)
    assert result.exit_code == 2
    assert "--pane" in result.stderr


def test_a_folder_that_does_not_exist_cannot_be_written_to(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", "x\n1\n")
    result = build(file, "-o", str(tmp_path / "nowhere" / "r.json"))
    assert result.exit_code == 2
    assert result.stderr.strip() == f"{tmp_path}/nowhere/r.json: cannot be written: No such file or directory"
