"""The table of alerts in ``docs/prometheus.md``, from the rule files: ``python -m tests.support.rules_table`` writes it anew."""

from __future__ import annotations

from typing import Any

from tests.support.promtool import alert_rules
from tests.support.source import ROOT

DOCUMENT = ROOT / "docs" / "prometheus.md"
BEGIN, END = "<!-- alerts: written by python -m tests.support.rules_table -->", "<!-- end of alerts -->"


def table() -> str:
    """Every alert rule, in the order of the files."""
    rows = [_row(rule) for rule in alert_rules()]
    return "\n".join(["| alert | severity | fires where | for |", "|---|---|---|---|", *rows])


def written(document: str) -> str:
    """A document with the current table between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _row(rule: dict[str, Any]) -> str:
    name, severity = rule["alert"], rule["labels"]["severity"]
    condition = " ".join(rule["expr"].split()).replace("|", "\\|")
    return f"| [{name}](runbooks/{name}.md) | {severity} | `{condition}` | {rule.get('for', '')} |"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
