"""Places at which a test kills the worker: each crash that a flush, an evaluation or a delivery must survive has a label.

``DRIFTLINE_TEST_KILL_AT=after-send`` ends the process by SIGKILL when it comes there for the first time,
``after-send:3`` at the third; with ``DRIFTLINE_TEST_KILL_BY=SIGSTOP`` it falls asleep there.  Without the variable nothing happens.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Literal, get_args

Flush = Literal["before-flush", "after-flush"]
Evaluation = Literal["before-conclude", "after-conclude"]
Delivery = Literal[
    "before-commit", "after-commit", "before-begin", "after-begin", "before-send",
    "after-send", "before-confirm", "after-confirm", "before-publish", "after-publish",
]  # fmt: skip
Label = Flush | Evaluation | Delivery
FLUSH: tuple[Flush, ...] = get_args(Flush)
EVALUATION: tuple[Evaluation, ...] = get_args(Evaluation)
DELIVERY: tuple[Delivery, ...] = get_args(Delivery)

_passed: Counter[str] = Counter()


def passing(label: Label) -> None:
    """Die here, if a test says so."""
    wanted, _, at = os.environ.get("DRIFTLINE_TEST_KILL_AT", "").partition(":")
    if wanted != label:
        return
    _passed[label] += 1
    if _passed[label] == int(at or 1):
        os.kill(os.getpid(), signal.Signals[os.environ.get("DRIFTLINE_TEST_KILL_BY", "SIGKILL")])
