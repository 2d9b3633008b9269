"""`driftline check-config`: what would be in force, what is doubtful, and where a file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import driftline
from tests.support.models import ample

MONITORS = """\
schema: 1
defaults:
  pane: 1h
  windows: {day: 24h}
  step: 24h
models:
  m:
    reference: m.json
    prediction: {kind: binary, classes: [on_time, delayed], positive: delayed}
    features:
      temp: {type: numeric}
      carrier: {type: categorical}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "m.json").write_bytes(ample().to_json())
    monitors = tmp_path / "monitors.yaml"
    monitors.write_text(MONITORS)
    return monitors


def edit(file: Path, old: str, new: str) -> None:
    assert old in MONITORS
    file.write_text(MONITORS.replace(old, new))


def test_a_good_file_says_what_would_be_in_force(file: Path) -> None:
    ended = driftline("check-config", str(file))

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{file}: 1 model, no problem",
        f"  m: 2 features, panes of 1h, reference {ample().hash[:16]}",
    ]


def test_as_json(file: Path) -> None:
    found = driftline("check-config", str(file), "--json").json

    assert found["generation"] is None
    assert found["models"] == {"m": {"features": 2, "pane_ms": 3_600_000, "reference": ample().hash, "from_ms": None}}
    assert (found["warnings"], found["not_in_force"]) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("pane: 1h", "pain: 1h", 3, "defaults.pain: is not a key here; did you mean 'pane'?"),
        ("pane: 1h", "pane: soon", 3, "defaults.pane: must be a duration such as 500ms, 30s, 1h or 45d"),
        ("reference: m.json", "reference: n.json", 8, "models.m.reference: there is no file"),
        ("{type: numeric}", "{type: number}", 11, "models.m.features.temp.type: must be"),
        (
            "{type: numeric}",
            "{type: numeric, source: feed}",
            11,
            "models.m.features.temp.source: 'feed' is not declared",
        ),
        ("step: 24h", "step: 90m", 5, "90m is not a whole number of panes of 1h"),
    ],
)
def test_a_problem_is_told_with_file_line_and_key(file: Path, old: str, new: str, line: int, said: str) -> None:
    edit(file, old, new)
    ended = driftline("check-config", str(file))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"{file}:{line}: ")
    assert said in ended.err


def test_all_problems_are_told_at_once(file: Path) -> None:
    file.write_text(MONITORS.replace("m.json", "n.json").replace("step: 24h", "step: 90m"))

    assert [line.split(":")[1] for line in driftline("check-config", str(file)).err.splitlines()] == ["5", "8"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "not a reference: expected a JSON object with the key `schema`"),
        (ample().to_json().replace(b'"rows":2', b'"rows":3', 1), "sha256 does not match the content"),
        (b'{"schema": 99}', "schema: 99 is newer than what is read here"),
    ],
)
def test_a_reference_that_cannot_be_used_is_named_with_its_model(file: Path, content: bytes, said: str) -> None:
    file.with_name("m.json").write_bytes(content)
    ended = driftline("check-config", str(file))

    assert ended.code == 2
    assert ended.err.startswith(f"{file.with_name('m.json')}: models.m.reference: {said}")


def test_features_that_the_reference_does_not_cover_are_a_warning(file: Path) -> None:
    edit(file, "temp: {type: numeric}", "temp: {type: categorical}\n      gust: {type: numeric}")
    ended = driftline("check-config", str(file))

    assert ended.code == 0
    assert [line for line in ended.out.splitlines() if line.startswith("warning")] == [
        "warning: m: not in the reference, so counted without bins or categories: gust",
        "warning: m: temp is categorical here and numeric in the reference, whose profile cannot be used",
    ]


def test_a_feature_that_is_written_otherwise_in_the_reference_is_asked_after(file: Path) -> None:
    edit(file, "temp: {type: numeric}", "tmep: {type: numeric}")
    [said] = [line for line in driftline("check-config", str(file)).out.splitlines() if line.startswith("warning")]
    assert said.endswith("without bins or categories: tmep; did you mean 'temp'?")


def test_a_reference_of_another_model_is_a_warning(file: Path) -> None:
    edit(file, "  m:", "  n:")

    assert "warning: n: its reference was built for the model 'm'" in driftline("check-config", str(file)).out


def test_keys_that_nothing_acts_on_yet_are_listed(file: Path) -> None:
    file.write_text(MONITORS + "times:\n  day: {weekdays: mon-fri}\n")
    ended = driftline("check-config", str(file))

    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "not in force (accepted, and nothing acts on it yet): times"


def test_terminal_codes_in_a_name_are_not_sent_to_the_terminal(file: Path) -> None:
    edit(file, "temp: {type: numeric}", '"te\\emp": {type: numeric}')
    ended = driftline("check-config", str(file))

    assert "\x1b" not in ended.out + ended.err
