"""How kernels are compiled: to machine code when they are first called, and kept on disk for every later process.

A kernel that is written down costs nothing: numba is loaded with the first one that is called, so that commands and processes
that count nothing never load it.  ``warm`` (stream/ingest/warm.py) calls them all, before a worker takes partitions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from stream.compiled.kept import cache_folder

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class Kernel:
    """A function that becomes machine code when it is first called; kernels call each other as machine code at once."""

    def __init__(self, function: Callable[..., Any], make: Callable[[ModuleType, Any], Any]) -> None:
        self.function, self._make = function, make
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        return self.machine(*arguments)

    @cached_property
    def machine(self) -> Any:
        """numba's dispatcher."""
        made = self._make(_numba(), self.function)
        made._cache.save_overload = _kept_if_it_can_be(made._cache.save_overload)
        return made

    @property
    def signatures(self) -> list[Any]:
        """The types of arguments that it was compiled, or loaded, for."""
        return list(self.machine.signatures) if "machine" in vars(self) else []


OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}
#: Every kernel of the modules that were imported.
KERNELS: list[Kernel] = []
#: Why kernels could not be written to disk.
UNKEPT: list[OSError] = []
UNKEPT_SAYS = (
    "what was compiled cannot be kept in %s (%s), and every start compiles it again, for up to a minute: "
    "make room there, or set XDG_CACHE_HOME to a folder that has 30 MB"
)


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """The kernel as machine code; it runs without the interpreter's lock, and no index is checked in it."""
    found: Callable[P, R] = _noted(Kernel(kernel, lambda numba, function: numba.njit(**OPTIONS)(function)))
    return found


def uncounted(kernel: Callable[P, R]) -> Callable[P, R]:
    """The same for a kernel that makes no array: numba counts nobody's references in it.

    Else it counts those of each array that one kernel hands to another, by atomic instructions: of a kernel with small inner ones
    that was nine tenths of its time.
    """
    found: Callable[P, R] = _noted(Kernel(kernel, lambda numba, function: numba.njit(_nrt=False, **OPTIONS)(function)))
    return found


def inlined(kernel: Callable[P, R]) -> Callable[P, R]:
    """The same for one that becomes part of each kernel that calls it: a call hands over 7 words for each array."""
    options = {"_nrt": False, "forceinline": True, **OPTIONS}
    found: Callable[P, R] = _noted(Kernel(kernel, lambda numba, function: numba.njit(**options)(function)))
    return found


def _kept_if_it_can_be(save: Callable[..., None]) -> Callable[..., None]:
    """What cannot be written is used all the same: numba has it in memory, and would raise."""

    def saved(*arguments: Any) -> None:
        try:
            save(*arguments)
        except OSError as failed:
            if not UNKEPT:
                log.warning(UNKEPT_SAYS, cache_folder(), failed)
            UNKEPT.append(failed)

    return saved


def _noted(kernel: Any) -> Any:
    """A kernel is called as its function is."""
    KERNELS.append(kernel)
    return kernel


def _numba() -> ModuleType:
    import numba  # 0.4 s and 60 MB, which only a process that counts should spend

    if numba.extending.typeof_impl.dispatch(Kernel) is not _as_dispatcher:
        numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined] # numba sets its names from the environment
        numba.extending.typeof_impl.register(Kernel)(_as_dispatcher)
    return numba


def _as_dispatcher(kernel: Kernel, _context: Any) -> Any:
    """What a kernel is to another one that calls it."""
    import numba

    return numba.types.Dispatcher(kernel.machine)
