"""The report of `driftline compare` as a page: one file that asks nobody, with every name escaped."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import driftline
from tests.support.row_files import CURRENT, NOW, REFERENCE, THEN, write


def test_the_report_as_a_page(tmp_path: Path) -> None:
    then = {"temp": REFERENCE.tolist(), "<script>": THEN}
    now = {"temp": CURRENT.tolist(), "<script>": [f"<b>{name}" for name in NOW]}
    paths = str(write(tmp_path / "then.csv", then)), str(write(tmp_path / "now.csv", now))
    page = tmp_path / "report.html"
    ended = driftline("compare", *paths, "--html", str(page))
    text = page.read_text()

    assert ended.code == 1
    assert "<h1>2 of 2 columns drifted</h1>" in text
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    assert "<b>" not in text
    assert "://" not in text
    assert "src=" not in text
    assert "href=" not in text
    assert text.count("<svg") == 2
    assert text.count('<rect class="then"') == text.count('<rect class="now"') == 10 + 5
    refused = driftline("compare", *paths, "--html", str(tmp_path / "none" / "report.html"))
    assert (refused.code, "cannot be written: No such file or directory" in refused.err) == (2, True)
