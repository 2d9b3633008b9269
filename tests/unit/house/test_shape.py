"""The shape of the code: one idea a file, small named functions, few positional arguments, no vague names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.source import PACKAGES, Function, Source, parse, sources, words

EVERYTHING = (*PACKAGES, "tests")
FILE_LINES = 300
LONG, LONGEST = 30, 60
POSITIONAL = 3
#: Where they may take more: numba knows no keyword-only arguments, and a kernel's are arrays.
COMPILED = ("stream/compiled/", "stream/ingest/compiled/")
VAGUE = {"util", "utils", "manager", "helper", "helpers", "misc", "common"}


def test_no_file_is_longer_than_300_lines() -> None:
    assert [(s.path, s.lines) for s in sources(*EVERYTHING) if s.lines > FILE_LINES] == []


def test_every_file_says_what_it_is() -> None:
    assert [s.path for s in sources(*EVERYTHING) if s.tree.body and not ast.get_docstring(s.tree)] == []


def test_no_function_is_longer_than_60_lines() -> None:
    assert [where for where, lines in lengths(EVERYTHING) if lines > LONGEST] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_nine_functions_in_ten_are_shorter_than_30_lines(package: str) -> None:
    measured = list(lengths((package,)))
    long = [where for where, lines in measured if lines >= LONG]
    assert len(long) * 10 <= len(measured), long


def test_no_function_takes_more_than_3_positional_arguments() -> None:
    written = [source for source in sources(*PACKAGES) if not source.path.startswith(COMPILED)]
    assert [_where(s, f) for s in written for f in s.functions() if positional(f) > POSITIONAL] == []


def test_no_name_is_vague() -> None:
    assert [name for source in sources(*EVERYTHING) for name in vague(source)] == []


def test_the_docstring_of_a_function_does_not_make_it_long() -> None:
    [function] = parse("a.py", text='def f():\n    """One.\n\n    Two.\n    """\n    return 1\n').functions()
    assert length(function) == 2


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("class A:\n    def f(self, a, b, c): ...", 3),
        ("class A:\n    @classmethod\n    def f(cls, a, /, b): ...", 2),
        ("class A:\n    @staticmethod\n    def f(a, b, c, d): ...", 4),
        ("def f(a, b, *rest, c, d, **more): ...", 2),
    ],
)
def test_what_counts_as_positional(text: str, count: int) -> None:
    [function] = parse("a.py", text=text).functions()
    assert positional(function) == count


def test_a_vague_name_is_seen_in_a_file_a_class_and_a_function() -> None:
    text = "class PaneManager: ...\n\ndef date_utils(): ...\n\ndef managed(): ..."
    assert vague(parse("stream/helpers.py", text=text)) == [
        "stream/helpers.py",
        "stream/helpers.py:1: PaneManager",
        "stream/helpers.py:3: date_utils",
    ]


def lengths(folders: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """(where, lines) of every function, its docstring not counted."""
    return ((_where(s, f), length(f)) for s in sources(*folders) for f in s.functions())


def length(function: Function) -> int:
    """Lines from ``def`` to the last one, without decorators and docstring."""
    first = function.body[0]
    spoken = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(function) is not None else 0
    return (function.end_lineno or 0) - function.lineno + 1 - spoken


def positional(function: Function) -> int:
    """Arguments that may be given by position, ``self`` and ``cls`` aside."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def vague(source: Source) -> list[str]:
    """The file, classes and functions whose name says nothing."""
    named = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    stem = source.path.rsplit("/", 1)[-1].removesuffix(".py")
    found = [source.path] if words(stem) & VAGUE else []
    return found + [
        f"{source.path}:{node.lineno}: {node.name}"
        for node in ast.walk(source.tree)
        if isinstance(node, named) and words(node.name) & VAGUE
    ]


def _where(source: Source, function: Function) -> str:
    return f"{source.path}:{function.lineno}: {function.name}"
