"""The table of settings in the operations page is the settings' own."""

from __future__ import annotations

from schemas.settings import Settings
from schemas.settings_table import DOCUMENT, MEANINGS, written


def test_every_setting_has_a_meaning_and_nothing_else_has() -> None:
    assert list(MEANINGS) == list(Settings.model_fields)


def test_the_table_is_current() -> None:
    text = DOCUMENT.read_text()

    assert written(text) == text, "run python -m schemas.settings_table"
    assert "| `DRIFTLINE_SESSION_TIMEOUT_S` | `10` |" in text
    assert "| `DRIFTLINE_TAKE_OVER_GROUP` | `false` |" in text
