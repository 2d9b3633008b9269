"""What a long command shows of its work: a line on a terminal, nothing before a second, nothing in a pipe."""

import io

import pytest
from rich.console import Console

from stream.command import working
from stream.command.working import building


def shown(*, terminal: bool) -> str:
    written = io.StringIO()
    with building(Console(file=written, force_terminal=terminal, width=100)) as told:
        told("rows", 65_536, None)
        told("columns", 3, 20)
    return written.getvalue()


def test_a_short_command_shows_nothing() -> None:
    assert shown(terminal=True) == ""


def test_a_long_one_says_what_it_does_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "PATIENCE_S", 0.0)
    assert all(text in shown(terminal=True) for text in ("rows", "65,536", "columns", "3"))
    assert shown(terminal=False) == ""
