"""What every peer's script shares: cases come as JSON on standard input, answers leave as JSON on standard output.

Run by the Python of a peer's own environment, so it knows the standard library only.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

Answer = Mapping[str, Callable[[], Any]]


def answer(asked: Callable[[dict[str, Any]], Answer]) -> None:
    """Ask every statistic of every case; what a peer cannot compute is None."""
    warnings.simplefilter("ignore")
    found = [{name: _number(one) for name, one in asked(case).items()} for case in json.load(sys.stdin)]
    json.dump(found, sys.stdout)


def _number(one: Callable[[], Any]) -> float | None:
    try:
        value = float(one())
    except Exception:  # a peer may fail in any way of its own; what it says is not compared
        return None
    return value if math.isfinite(value) else None
