"""Prints the part of ``requirements.lock`` that a running driftline needs, hashes and all: no tests, no linters, no demo.

Run in the repository's root, with nothing but Python.  A package is needed if ``pyproject.toml`` lists it in ``dependencies``,
or if one that is needed asks for it (the lock's ``# via``); setuptools builds what comes as source.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

BLOCK = re.compile(r"^([a-z0-9][a-z0-9._-]*)==[^\n]*\n(?:    [^\n]*\n)*", re.MULTILINE)
VIA = re.compile(r"^    #(?: via|  )\s+([a-z0-9][a-z0-9._-]*)", re.MULTILINE)


def needed(project: str, lock: str) -> str:
    """The blocks of the lock that are needed, in its order."""
    asked = tomllib.loads(project)["project"]["dependencies"]
    wanted = {re.split(r"[^A-Za-z0-9._-]", name)[0].lower() for name in asked} | {"setuptools"}
    # A list, not a dictionary: a package may be locked twice, for older and newer Pythons.
    blocks = [(match[1], match[0]) for match in BLOCK.finditer(lock)]
    while more := {name for name, block in blocks if name not in wanted and wanted & set(VIA.findall(block))}:
        wanted |= more
    return "".join(block for name, block in blocks if name in wanted)


if __name__ == "__main__":
    sys.stdout.write(needed(Path("pyproject.toml").read_text(), Path("requirements.lock").read_text()))
