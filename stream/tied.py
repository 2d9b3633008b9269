"""A command whose process ends with ours, on Linux even when we are killed outright: the kernel is asked to end it.

Asked by the child itself before it becomes the command, and not between fork and exec: there only what no lock can stop is safe
in a process that has threads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# Killed, not asked: what it works with may be gone with its parent, and it would wait for that to take its leave.
# Between the request and the exec the parent may have died already: then the child has another one.
_TIED = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.getppid() == int(sys.argv[1]) and os.execvp(sys.argv[2], sys.argv[2:])
"""


def tied(command: Sequence[str]) -> list[str]:
    """The command that becomes this one; itself on other systems."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-S", "-c", _TIED, str(os.getpid()), *command]
