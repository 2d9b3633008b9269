"""The checksum is aiokafka's, wherever the bytes lie, with the processor's instruction and without."""

from __future__ import annotations

from random import Random

import numba
import numpy as np
import pytest
from aiokafka.record.util import calc_crc32c

from stream.compiled.crc32c import by_tables, crc32c, has_instruction


def test_every_part_of_a_text_has_its_checksum() -> None:
    chance = Random(7)
    raw = chance.randbytes(300)
    text = np.frombuffer(raw, np.uint8)
    for first in range(18):
        for end in (first, *range(first + 1, first + 20), 299, 300):
            assert crc32c(text, first, end) == calc_crc32c(raw[first:end])


@pytest.mark.parametrize("words", [1, 2, 9])
def test_tables_say_the_same_where_the_processor_has_no_instruction(words: int) -> None:
    raw = Random(words).randbytes(8 * words)
    crc = np.uint64(0xFFFFFFFF)
    for at in range(0, len(raw), 8):
        crc = by_tables(crc, np.uint64(int.from_bytes(raw[at : at + 8], "little")))
    assert int(crc) ^ 0xFFFFFFFF == calc_crc32c(raw)


def test_the_instruction_is_not_taken_where_numba_is_told_of_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CPU_NAME", "generic")
    assert not has_instruction(numba)
