"""Where compiled kernels are kept between processes.

numba keeps what it compiled by a kernel's own file, and does not see that a kernel in another file, which it calls, has changed.
So the folder is named by all of their sources together.  What lies there is run: nobody else may be able to write it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_STREAM = Path(__file__).parent.parent


def sources_digest(room: Path) -> str:
    """A name for the kernels in all ``compiled`` folders of a room: another one as soon as a byte of them changes."""
    digest = hashlib.sha256()
    for file in sorted(room.glob("**/compiled/*.py")):
        digest.update(str(file.relative_to(room)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path:
    """The user's cache folder, or one of the machine's where that cannot be written: of a container it may be read only.

    What can only be read is copied: numba takes no folder that it cannot write.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "driftline"
    found = base / f"kernels-{sources_digest(_STREAM)}"
    with contextlib.suppress(OSError):
        found.mkdir(parents=True, exist_ok=True)
    if os.access(found, os.W_OK | os.X_OK):
        return found
    own = _own_folder() / found.name
    if found.is_dir() and not own.exists():
        _copy(found, own)
    own.mkdir(exist_ok=True, mode=0o700)
    return own


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Within, no other process that asks is: of several that start at once one compiles, and the others load."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _own_folder() -> Path:
    """One under the machine's folder for such things that is surely ours: anybody may have made one of this name."""
    own = Path(tempfile.gettempdir()) / f"driftline-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        own.mkdir(mode=0o700)
    found = own.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return own if ours else Path(tempfile.mkdtemp(prefix="driftline-"))


def _copy(found: Path, own: Path) -> None:
    """Whole or not at all: another process may begin to read it at any moment."""
    part = Path(tempfile.mkdtemp(dir=own.parent))
    shutil.copytree(found, part / own.name, copy_function=shutil.copyfile)
    with contextlib.suppress(OSError):  # another process was first
        (part / own.name).rename(own)
    shutil.rmtree(part, ignore_errors=True)
