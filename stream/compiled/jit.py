"""How kernels are compiled: to machine code at their first call, and kept on disk for every later process.

numba keeps what it compiled by a kernel's own file, and does not see that a kernel in another file, which it calls, has changed.
So the folder is named by all of their sources together.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

_STREAM = Path(__file__).parent.parent


def sources_digest(room: Path) -> str:
    """A name for the kernels in all ``compiled`` folders of a room: another one as soon as a byte of them changes."""
    digest = hashlib.sha256()
    for file in sorted(room.glob("**/compiled/*.py")):
        digest.update(str(file.relative_to(room)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled kernels are kept: the user's cache folder, or one of the machine's where that cannot be written."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "driftline"
    found = base / f"kernels-{sources_digest(_STREAM)}"
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError:
        found = Path(tempfile.gettempdir()) / f"driftline-{os.getuid()}" / found.name
        found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined] # numba sets its names from the environment


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """The kernel as machine code; it runs without the interpreter's lock, and no index is checked in it."""
    found: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(kernel)
    return found
