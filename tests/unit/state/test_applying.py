"""Reference files on their way into force."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.monitors import load_monitors
from stream.state import applying
from tests.support.generated import generate, reference_of, write_monitors

REFERENCE = reference_of(generate("alpha", 200, seed=1, features=1))


def test_a_reference_that_models_share_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _sharing(tmp_path)
    read: list[Path] = []
    before = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path)
        return before(path)

    monitors = load_monitors(file)
    monkeypatch.setattr(Path, "read_bytes", noted)
    found = applying.load_references(monitors)
    assert [path.name for path in read] == ["shared.json"]
    assert found == {"alpha": REFERENCE, "beta": REFERENCE}


def test_each_model_of_a_shared_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    file = _sharing(tmp_path)
    (tmp_path / "shared.json").write_text("{")
    with pytest.raises(ConfigError) as refused:
        applying.load_references(load_monitors(file))
    assert [one.key for one in refused.value.problems] == ["models.alpha.reference", "models.beta.reference"]


def _sharing(folder: Path) -> Path:
    file = write_monitors(folder, {"alpha": REFERENCE, "beta": REFERENCE})
    text = file.read_text()
    for model in ("alpha", "beta"):
        text = text.replace(f"{model}.json", "shared.json")
    (folder / "shared.json").write_bytes(REFERENCE.to_json())
    file.write_text(text)
    return file
