"""`driftline demo`: it stays until Ctrl-C, and with ``--exit`` ends after the table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stream.command.main import main
from stream.local import show


@pytest.mark.parametrize(
    ("said", "stay", "as_json"), [((), True, False), (("--exit",), False, False), (("--exit", "--json"), False, True)]
)
def test_what_is_asked_for(monkeypatch: pytest.MonkeyPatch, said: Sequence[str], stay: bool, as_json: bool) -> None:
    asked: dict[str, bool] = {}
    monkeypatch.setattr(show, "run_demo", lambda **how: asked.update(how))
    with pytest.raises(SystemExit) as ended:
        main(["demo", *said])
    assert ended.value.code == 0
    assert asked == {"stay": stay, "as_json": as_json}
