"""The commands that a document shows, and what they are said to print.

A fence ```sh holds commands; a fence ```console holds ``$ `` lines and under each what it prints. ``<!-- unrun: reason -->``
on the line before a fence leaves it out. In what is printed, ``…`` stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

FENCE = re.compile(
    r"(?P<unrun><!-- unrun: (?P<reason>[^\n]*?) -->\n)?^```(?P<kind>sh|console)\n(?P<body>.*?)^```$", re.M | re.S
)
#: What is different each time: a wall clock (the example's events are of March 2025), a process, a port, a delay.
VARYING = (
    (re.compile(r"(?!2025-03)20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "PORT"),
    (re.compile(r"\b[A-Za-z][\w.-]*:\d{2,7}(?=\s|$)"), "HOST:PID"),
    (re.compile(r"\b\d+\.\d d\b"), "DELAY"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a document, the line it stands on, and the lines under it."""

    document: str
    line: int
    command: str
    shown: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.command}"


def steps(path: Path) -> list[Step]:
    """Every command that a document asks its reader to run, in order."""
    text = path.read_text()
    found: list[Step] = []
    for fence in FENCE.finditer(text):
        if fence["unrun"] is None:
            line = text.count("\n", 0, fence.start("body")) + 1
            found += _commands(fence["body"], kind=fence["kind"], document=path.name, line=line)
    return found


def reasons(path: Path) -> list[str]:
    """Why fences of a document are left out."""
    return [fence["reason"] for fence in FENCE.finditer(path.read_text()) if fence["unrun"]]


def _commands(body: str, *, kind: str, document: str, line: int) -> Iterator[Step]:
    lines = body.splitlines()
    starts = [at for at, text in enumerate(lines) if text and (kind == "sh" or text.startswith("$ "))]
    for at, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        shown = tuple(text for text in lines[at + 1 : end] if text.strip())
        yield Step(document, line + at, lines[at].removeprefix("$ ").partition("  # ")[0].strip(), shown)


def missing(shown: Sequence[str], printed: str) -> str | None:
    """The first line of a document that is not in what was printed, behind the lines before it; None where all are."""
    rest = iter([plain(line) for line in printed.splitlines()])
    for line in shown:
        pattern = re.sub(r"[\[\]?*]", lambda found: f"[{found[0]}]", plain(line)).replace("…", "*")
        if line.strip() != "…" and not any(fnmatchcase(candidate, pattern) for candidate in rest):
            return line
    return None


def plain(line: str) -> str:
    """A line with what varies replaced and every stretch of spaces as one."""
    for pattern, name in VARYING:
        line = pattern.sub(name, line)
    return " ".join(line.split())
