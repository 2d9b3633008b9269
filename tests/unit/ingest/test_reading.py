"""A reader is compiled source: only names of the contract's fields get into it."""

from __future__ import annotations

import pytest

from stream.ingest.reading import reader


@pytest.mark.parametrize("name", ["features.__import__('os')", "a b", "event); exec('1'", "", "a.b.c"])
def test_what_is_no_name_of_a_field_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no field of the contract"):
        reader(0, [[name], [], []])
