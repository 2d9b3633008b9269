"""Kernels are ready before they are needed: a worker loads all of them, or compiles them, before it takes partitions.

A kernel that met arguments of other types for the first time would be compiled then, for seconds, on the event loop.  So every
file of kernels has an ``example``, which calls each face that Python calls as counting does: with arrays of the same dtypes, of
as many dimensions, contiguous or not, to be written or not.  It is registered here.

``python -m stream.ingest.warm`` compiles them for this machine and its user; ``make setup`` and the container image do so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from stream.compiled import batches
from stream.compiled.jit import UNKEPT
from stream.compiled.kept import alone_in, cache_folder
from stream.ingest import counting, sheets
from stream.ingest.compiled import columns, decimals, naming, packing, scanning

log = logging.getLogger(__name__)

#: Of each file of kernels.
EXAMPLES: tuple[Callable[[], object], ...] = (
    batches.example, decimals.example, scanning.example, naming.example, columns.example, counting.example,
    sheets.example, packing.example,
)  # fmt: skip
SAYS = "compiling what is done with every event: once on a machine, for up to a minute"


def warm() -> None:
    """Return once every kernel can be called."""
    from llvmlite import binding  # type: ignore[import-untyped] # not before it is needed: it comes with numba

    folder = cache_folder()
    compiled = folder / f"compiled-for-{binding.get_host_cpu_name()}"
    if compiled.exists():
        _run()
        return
    with alone_in(folder):
        if not compiled.exists():
            log.warning(SAYS)
        _run()
        if not UNKEPT:
            compiled.touch()


def _run() -> None:
    for example in EXAMPLES:
        example()


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    warm()
