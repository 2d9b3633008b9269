"""A kernel costs nothing until it is called, and is one thing for its caller whether that is Python or another kernel."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numba
import numpy as np
import numpy.typing as npt
import pytest

from stream.compiled.jit import KERNELS, compiled, uncounted


@compiled
def doubled(value: int) -> int:
    """Twice."""
    return 2 * value


@compiled
def fourfold(value: int) -> int:
    """Twice of twice, by another kernel."""
    return doubled(doubled(value))


def test_kernels_call_each_other() -> None:
    assert (fourfold(3), doubled(3)) == (12, 6)
    [found] = [kernel for kernel in KERNELS if kernel.function is inspect.unwrap(fourfold)]
    assert found.signatures


def test_what_was_never_called_has_no_machine_code() -> None:
    @compiled
    def never(value: int) -> int:
        return value

    assert KERNELS.pop() is never
    assert vars(never).get("machine") is None


#: Everything that those who count nothing import: the commands, the console, who evaluates beside, the agent of GPUs.
COUNT_NOTHING = (
    "stream.command.console", "stream.command.gpu_agent", "stream.command.status", "stream.evaluation_apart",
    "stream.expose.server", "stream.ingest.plan", "stream.app",
)  # fmt: skip


def test_who_counts_nothing_does_not_load_the_compiler() -> None:
    program = f"""
import sys
from stream.command.main import app
import {", ".join(COUNT_NOTHING)}
app(args=["--help"], standalone_mode=False)
sys.exit("numba is loaded" if {{"numba", "llvmlite"}} & set(sys.modules) else 0)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_kernel_keeps_its_name_and_what_it_says() -> None:
    assert (doubled.__name__, doubled.__doc__) == ("doubled", "Twice.")


@pytest.mark.parametrize("value", [3, 3.0])
def test_other_types_are_other_machine_code(value: float) -> None:
    assert doubled(value) == 6  # type: ignore[arg-type]


def test_an_uncounted_kernel_counts_no_references_and_so_makes_no_array() -> None:
    """Said by an option that numba keeps to itself; where it no longer works, every kernel takes ten times as long."""

    def twice(text: npt.NDArray[np.uint8]) -> int:
        return len(np.zeros(2 * len(text)))

    with pytest.raises(numba.TypingError, match="Only accept returning of array passed"):
        uncounted(twice)(np.array([1, 2], np.uint8))
    KERNELS.pop()
