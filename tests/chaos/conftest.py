"""The scene that a row's fault is done to; the table of rows is printed by ``tests/support/chaos_table.py``."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.chaos import Scene, put_in_force
from tests.support.worker import Deployment


@pytest.fixture
def scene(deployment: Deployment) -> Scene:
    """Two models in force, and nothing sent; CHAOS_SEED repeats what a failed test printed."""
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
    print(f"CHAOS_SEED={seed}")  # shown when the test fails
    put_in_force(deployment)
    return Scene(deployment, seed)
