"""Tables of the commands: what a person wants to copy is never cut, however narrow the terminal."""

from __future__ import annotations

import pytest

from stream.command.printing import print_table


@pytest.mark.parametrize("columns", [20, 80])
def test_only_the_last_column_breaks(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(columns=("record", "not finite#", "why"), rows=[("predictions:3:1200", 1234567, "is no number " * 5)])

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == ["                        not", "record               finite  why"]
    assert lines[2].startswith("predictions:3:1200  1234567  is no number")
    assert " ".join(" ".join(lines[2:]).split()).endswith("is no number is no number")
