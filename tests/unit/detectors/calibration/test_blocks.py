"""Blocks: how long they are, and whose days are not cut."""

from __future__ import annotations

from detectors.calibration.blocks import block_length


def test_blocks_are_whole_days_only_for_windows_of_a_day_and_more() -> None:
    assert block_length(960, 1, day=24) == 1
    assert block_length(960, 23, day=24) == 20
    assert block_length(960, 24, day=24) == 24
    # Of 47 days, two at a time would leave 23 blocks; of fewer than twenty days none is kept whole.
    assert block_length(24 * 47, 168, day=24) == 24
    assert block_length(24 * 19, 24, day=24) == 20
