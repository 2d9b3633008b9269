"""What the doctor says of caps that are reached, by what is in force and stored."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.settings import Settings
from stream.command import doctor_caps
from stream.command.checks import Found
from stream.command.doctor_caps import CapChecks


@pytest.mark.parametrize(
    ("beyond", "state", "said"),
    [
        ({}, "ok", "none reached"),
        ({"a": 0}, "ok", "none reached"),
        ({"features without series": 40, "a": 0, "b": 2}, "look", "40 features without series, 2 b"),
    ],
)
def test_what_is_beyond_is_worth_a_look(
    monkeypatch: pytest.MonkeyPatch, beyond: dict[str, int], state: str, said: str
) -> None:
    def asked(settings: Settings, question: Any) -> dict[str, int]:
        return beyond

    monkeypatch.setattr(doctor_caps, "ask_redis", asked)
    [found] = CapChecks(Settings()).caps()
    assert isinstance(found, Found)
    assert (found.what, found.state, found.value) == ("caps", state, said)
    assert ("DriftlineCapped" in found.do) == (state == "look")
