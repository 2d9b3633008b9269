"""The lock: every package by exact version and hash, and nothing about the machine it was made on."""

from __future__ import annotations

import re
import tomllib

from tests.support.source import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
PINS = re.findall(r"^([a-z0-9][a-z0-9._-]*)==\S+.*?(?=^\S|\Z)", LOCK, re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^[a-z0-9][^\n]*\n(?:    [^\n]*\n)*", LOCK, re.MULTILINE)


def test_every_package_has_an_exact_version_and_a_hash() -> None:
    assert len(BLOCKS) == len(PINS) > 60
    assert [block for block in BLOCKS if not re.match(r"\S+==\S+", block)] == []
    assert [block for block in BLOCKS if "--hash=sha256:" not in block] == []


def test_everything_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[^A-Za-z0-9_-]", requirement)[0].lower() for requirement in asked}
    assert names - set(PINS) == set()


def test_setuptools_is_locked_because_the_editable_install_builds_with_it() -> None:
    assert "setuptools" in PINS


def test_the_lock_names_no_host_no_path_and_no_option_of_an_index() -> None:
    assert re.findall(r"://|index-url|find-links|trusted-host|^-", LOCK, re.MULTILINE) == []
    assert re.findall(r"#.*(?:/tmp|/home|/root|/work)", LOCK) == []
