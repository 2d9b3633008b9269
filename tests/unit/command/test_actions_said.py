"""What the owner says of an action is text: names in it may come from anywhere."""

from __future__ import annotations

import pytest
import typer

from schemas.answers import Answer
from stream.command.actions import tell


def test_an_answer_moves_no_cursor_and_changes_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    said = "rel-1 of model 'm' (3\n\x1b[31m\u202e \N{RIGHTWARDS ARROW} [red]4) is held by nobody"
    tell(Answer(True, said))
    with pytest.raises(typer.Exit):
        tell(Answer(False, said))
    shown = "rel-1 of model 'm' (3\\n\\x1b[31m\\u202e \N{RIGHTWARDS ARROW} [red]4) is held by nobody\n"
    assert capsys.readouterr() == (shown, shown)
