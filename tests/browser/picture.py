"""Makes the picture of the console for the README: ``python -m tests.browser.picture FILE.png`` (scripts/console-picture).

What is on it is what ``driftline demo`` leaves: the year is replayed, and the console looked at while everything still runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from stream.local.demo import replayed_year
from tests.support.browser import open_browser

WIDTH, HEIGHT = 1280, 1000


def take(picture: Path) -> None:
    """The first page of the demo's console, once the year is judged."""
    with replayed_year(Console(stderr=True)) as (summary, _), open_browser() as browser:
        assert summary.console is not None
        browser.open(summary.console, width=WIDTH, height=HEIGHT)
        browser.picture(picture)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
