"""The repository's own Python files as syntax trees, for the tests that hold the house rules."""

from __future__ import annotations

import ast
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "detectors", "alerting", "stream")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path from the root (``stream/app.py``), its lines and its tree."""

    path: str
    lines: int
    tree: ast.Module

    @property
    def module(self) -> str:
        """Dotted name: ``stream.app``; a package is named without its ``__init__``."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imports(self) -> Iterator[tuple[int, str]]:
        """(line, dotted name) of every import, wherever it stands; ``from a import b`` is ``a.b``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = self._absolute(node)
                yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.split("/")[: -node.level]
        return ".".join([*package, *([node.module] if node.module else [])])


def sources(*folders: str) -> Iterator[Source]:
    """The Python files below the folders, in path order."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return (_read(file) for file in sorted(files))


def forget() -> None:
    """Let go of the trees, millions of objects among which the collector looks in every test that follows."""
    _read.cache_clear()


@cache
def _read(file: Path) -> Source:
    return parse(str(file.relative_to(ROOT)), text=file.read_text())


def parse(path: str, *, text: str) -> Source:
    """A file's text as a Source."""
    with _uncollected():
        return Source(path, text.count("\n"), ast.parse(text))


def words(name: str) -> set[str]:
    """The lower-case words of a name: ``FooManager`` and ``foo_manager`` hold ``manager``."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Trees hold no cycles, and to look for some again and again takes four times as long as to parse."""
    running = gc.isenabled()
    gc.disable()
    yield
    if running:
        gc.enable()
