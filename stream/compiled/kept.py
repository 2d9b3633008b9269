"""Where compiled kernels are kept between processes.

numba keeps what it compiled by a kernel's own file, and does not see that a kernel in another file, which it calls, has changed,
nor a constant that comes from there.  So the folder is named by the sources of all kernels together, and of what they import.
What another release of numba left it does not read; that of numpy is in the name.  What lies there is run: nobody else may be
able to write it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

_STREAM = Path(__file__).parent.parent
#: Packages whose constants kernels may hold; what is installed beside them is not the project's.
_OURS = ("stream", "detectors", "schemas", "alerting")
#: To parse the files takes 50 ms, and finds the same (``tests/unit/stream/compiled/test_kept.py``).
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|.*)|import[ \t]+(.*))", re.MULTILINE)


def sources_digest(room: Path) -> str:
    """A name for the kernels in all ``compiled`` folders of a room.

    It is another one as soon as a byte of them changes, or of a file of ours that they import, or that such a file imports.
    """
    digest = hashlib.sha256(np.__version__.encode())
    for file, text in sorted(sources(room).items()):
        digest.update(str(file.relative_to(room.parent)).encode() + b"\0" + text + b"\0")
    return digest.hexdigest()[:16]


def sources(room: Path) -> dict[Path, bytes]:
    """What stands in each file of kernels, and in each that they import."""
    found, left = dict[Path, bytes](), set(room.glob("**/compiled/*.py"))
    while left:
        file = left.pop()
        found[file] = file.read_bytes()
        named = (_file_of(name, room.parent) for name in imported(found[file].decode()))
        left.update(other for other in named if other is not None and other not in found)
    return found


def imported(text: str) -> set[str]:
    """The modules of ours that a file imports; a name that it imports from one may be a module or not.

    >>> sorted(imported("import numpy\\nfrom stream.state import layout"))
    ['stream.state', 'stream.state.layout']
    """
    found = set[str]()
    for package, names, modules in _IMPORT.findall(re.sub(r"#.*", "", text)):
        words = re.findall(r"[\w.]+", names or modules)
        found |= {package, *(f"{package}.{word}" for word in words)} if package else set(words)
    return {name for name in found if name.partition(".")[0] in _OURS}


def _file_of(module: str, root: Path) -> Path | None:
    place = root.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


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
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # no room for a lock: nothing is kept then, and each compiles for itself
            fcntl.flock(held.enter_context((folder / "lock").open("a")), fcntl.LOCK_EX)
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
