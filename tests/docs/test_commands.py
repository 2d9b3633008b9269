"""Every command in the documents, typed by a reader: it works, and prints what the document says.

Each document is read in a folder of its own with a copy of ``examples/``, on a Kafka and a Redis that nobody has used.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import missing, reasons, steps
from tests.support.process import free_port
from tests.support.reader import Reader

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: The port of the server that the example of scraping.md reads.
SCRAPED = "18002"
WITH_COMMANDS = [document for document in DOCUMENTS if steps(document)]
#: Whose commands need no Kafka and no Redis: their reader has none.
WITHOUT_SERVICES = ("compare.md", "gpu.md")


@pytest.fixture
def ports(request: pytest.FixtureRequest, document: Path) -> tuple[int, int]:
    """Where Kafka and Redis answer, or nobody does."""
    if document.name in WITHOUT_SERVICES:
        return free_port(), free_port()
    return request.getfixturevalue("own_kafka").port, request.getfixturevalue("own_redis").port


@pytest.fixture
def reader(ports: tuple[int, int], tmp_path: Path) -> Iterator[Reader]:
    kafka, redis = f"127.0.0.1:{ports[0]}", f"redis://127.0.0.1:{ports[1]}/0"
    folder = tmp_path / "driftline"
    shutil.copytree(ROOT / "examples", folder / "examples")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTLINE_")}
    variables |= {
        "PATH": f"{_commands(tmp_path / 'bin')}:{os.environ['PATH']}",
        "PWD": str(folder),
        "COLUMNS": "80",
        "DRIFTLINE_KAFKA": kafka,
        "DRIFTLINE_REDIS": redis,
        "DRIFTLINE_CONSOLE_PORT": str(free_port()),
    }
    names = {"localhost:9092": kafka, "redis://localhost:6379/0": redis}
    names |= {"redis-cli": f"redis-cli -p {ports[1]}", SCRAPED: str(free_port())}
    targets = folder / "examples" / "scraping" / "targets.yaml"
    targets.write_text(targets.read_text().replace(SCRAPED, names[SCRAPED]))
    made = Reader(folder, variables, names)
    yield made
    made.stop()


@pytest.mark.slow
@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda document: document.name)
def test_commands_do_what_the_document_says(document: Path, reader: Reader) -> None:
    asked = False
    for step in steps(document):
        assert reader.code == 0 or step.command == "echo $?", f"exit code {reader.code} before {step}"
        problem = reader.do(step)
        assert problem is None, problem
        asked = True
    assert asked
    assert reader.code == 0


def test_the_documents_with_commands() -> None:
    assert [document.name for document in WITH_COMMANDS] == [
        "README.md",
        "compare.md",
        "gpu.md",
        "operations.md",
        "quickstart.md",
        "redis.md",
        "releases.md",
        "scraping.md",
    ]


def test_what_is_not_run_says_why() -> None:
    assert [document.name for document in DOCUMENTS if not all(map(str.strip, reasons(document)))] == []


def test_a_line_that_was_not_printed_is_found() -> None:
    printed = "a   b\n31 of 200 rows, applied 2031-01-01T00:00:00Z\nc"

    assert missing(("a b", "31 of … rows, applied 2026-11-21T04:06:12.872Z", "…", "c"), printed) is None
    assert missing(("a b", "32 of … rows"), printed) == "32 of … rows"
    assert missing(("c", "a b"), printed) == "a b"


def _commands(folder: Path) -> Path:
    """A folder with the ``driftline`` command of this checkout."""
    folder.mkdir()
    script = folder / "driftline"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m stream.command.main "$@"\n')
    script.chmod(0o755)
    return folder
