"""The error about one place of a file that a user named: which file, line and column, and the way out."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import ConfigError, Problem


def unusable(path: Path, column: str, message: str, *, line: int = 0) -> ConfigError:
    """To be raised; `column` is empty and `line` 0 where the problem is the whole file's."""
    return ConfigError([Problem(str(path), line, column, message)])


def no_file(path: Path) -> str:
    """What is wrong with a path that is not a file's."""
    return "is a folder; name a file in it" if path.is_dir() else "no such file"
