"""YAML with lines: where everything stands, and what is refused before its shape is even looked at."""

from pathlib import Path

import pytest

from schemas import yaml_lines
from schemas.errors import ConfigError
from schemas.yaml_lines import parse_yaml, read_yaml


def refusal(text: str | bytes) -> str:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigError) as caught:
        parse_yaml(content, "m.yaml")
    return str(caught.value)


def test_every_key_and_item_has_its_line() -> None:
    document = parse_yaml(b"a:\n  b: [1,\n      2]\n  on: yes\n", "m.yaml")
    assert document.data == {"a": {"b": [1, 2], "on": True}}
    assert document.line_of(("a", "b", 1)) == 3
    assert document.line_of(("a", "on")) == 4
    assert document.line_of(("a", "b", 1, "nowhere")) == 3


def test_a_key_that_stands_twice_is_a_problem_in_its_second_line() -> None:
    document = parse_yaml(b"a: {x: 1}\nb: 2\na: 3\n", "m.yaml")
    assert [str(problem) for problem in document.problems] == ["m.yaml:3: a: stands twice, first in line 1"]


def test_half_of_a_surrogate_pair_is_a_problem_where_it_stands() -> None:
    document = parse_yaml(b'a:\n  - "4\\ud83d"\n"b\\udc00": 1\nc: "\\U0001F600"\n', "m.yaml")
    said = "holds half of a surrogate pair, \\u{}: write the character itself, or \\U and its eight digits"
    assert [problem.message for problem in document.problems] == [said.format("d83d"), said.format("dc00")]
    assert [(problem.line, problem.key) for problem in document.problems] == [(2, "a.0"), (3, "b\udc00")]
    assert document.data["c"] == "\N{GRINNING FACE}"


def test_an_alias_repeats_a_value() -> None:
    assert parse_yaml(b"a: &x [1]\nb: *x\n", "m.yaml").data == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1\nb: 2\n", "m.yaml:2: is not YAML: expected ',' or ']', but got ':'"),
        ("a: 1\n---\nb: 2\n", "m.yaml:2: is not YAML: but found another document"),
        ("a: &x [*x]\n", "m.yaml:1: is not YAML: an alias contains itself"),
        ("a: !!python/object:os.system {}\nb: !x 1\n", "m.yaml:2: is not YAML: "),
        ("a: " + "[" * 3000, "m.yaml:1: is nested too deep to be a monitors file"),
        (b"a: \xff\n", "m.yaml:1: is not YAML: unacceptable character #x00ff: invalid start byte"),
        ("a: 2013-02-31\n", "m.yaml:1: is not YAML: day is out of range for month"),
    ],
)
def test_what_is_not_one_yaml_document(text: str | bytes, said: str) -> None:
    assert refusal(text).startswith(said)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml(tmp_path / "m.yaml")
    assert str(caught.value) == f"{tmp_path}/m.yaml: cannot be read: No such file or directory"


def test_a_file_of_thousands_of_models_is_read_and_one_of_thousands_of_aliases_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml_lines, "_MOST_NODES", 500)
    long = b"".join(b"m%d: {a: 1}\n" % number for number in range(400))
    assert len(parse_yaml(long, "m.yaml").data) == 400
    bomb = b"a: &a [1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
    with pytest.raises(ConfigError, match="an alias contains itself"):
        parse_yaml(bomb, "m.yaml")
