"""Durations of the monitors file in exact milliseconds."""

import pytest

from schemas.durations import duration_text, milliseconds_of


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("500ms", 500),
        ("30s", 30_000),
        ("1m", 60_000),
        ("1h", 3_600_000),
        ("45d", 3_888_000_000),
        ("2w", 1_209_600_000),
        ("1h30m", 5_400_000),
        ("0s", 0),
    ],
)
def test_a_duration(text: str, ms: int) -> None:
    assert milliseconds_of(text) == ms
    assert milliseconds_of(duration_text(ms)) == ms


@pytest.mark.parametrize("given", ["soon", "1.5h", "-1h", "1", 60, "", "1 h", None, "1H", "9" * 100 + "s", "1m\n"])
def test_no_duration(given: object) -> None:
    with pytest.raises(ValueError, match=r"^must be a duration such as 500ms, 30s, 1h or 45d$"):
        milliseconds_of(given)


def test_a_century_is_the_longest() -> None:
    assert milliseconds_of("36500d") == 3_153_600_000_000
    with pytest.raises(ValueError, match=r"^must be at most 36500d$"):
        milliseconds_of("36501d")
