"""The house rules read every file of the repository, and keep none of it beyond their last test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.source import forget


@pytest.fixture(scope="package", autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    forget()
