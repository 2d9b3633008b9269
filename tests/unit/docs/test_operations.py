"""The operations page quotes what is really said."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
#: Not ours to write: the Kafka client's line, and what our code puts together.
ELSEWHERE = (
    "Topic … not found in cluster metadata",
    "worker: http://…",
    "… not stored (fenced) …",
    "… not stored (elsewhere) …",
)


def test_every_quoted_log_line_is_in_the_code() -> None:
    page = (ROOT / "docs" / "operations.md").read_text().partition("## What a worker says")[2].partition("\n## ")[0]
    source = "".join(path.read_text() for path in sorted((ROOT / "stream").rglob("*.py")))
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)

    assert len(quoted) == 44
    pieces = [piece.strip(" ()") for line in quoted if line not in ELSEWHERE for piece in line.split("…")]
    assert [piece for piece in pieces if piece not in source] == []
