"""What a feature of a million distinct names costs a worker beside one of six: CPU an event, its memory, and Redis'."""

from __future__ import annotations

import pytest

from tests.support.many_names import Held, held, prepare, send
from tests.support.worker import Deployment

NAMES = 1_000_000

pytestmark = pytest.mark.bench


def test_a_million_names(deployment: Deployment) -> None:
    prepare(deployment)
    send(deployment, range(NAMES // 10), distinct=6)
    begun = held(deployment)
    send(deployment, range(NAMES), distinct=6)
    few = held(deployment)
    send(deployment, range(NAMES), distinct=NAMES)
    many = held(deployment)
    for name, before, after in (("six names", begun, few), ("a million names", few, many)):
        print(_line(name, before, after))


def _line(name: str, before: Held, after: Held) -> str:
    return (
        f"{name}: {(after.cpu_s - before.cpu_s) / NAMES * 1e6:.2f} us of CPU an event, worker {before.worker / 1e6:.0f} to "
        f"{after.worker / 1e6:.0f} MB, panes in Redis {before.panes / 1e3:.0f} to {after.panes / 1e3:.0f} kB"
    )
