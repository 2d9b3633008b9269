"""Times and stream names as people write them on the command line."""

from __future__ import annotations

import pytest
import typer

from schemas.names import Names
from stream.command.options import moment_ms, stream_named
from stream.command.printing import moment


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2013-01-01", 1356998400000),
        ("2013-01-01T10:15:00Z", 1357035300000),
        ("2013-01-01T05:15:00.250-05:00", 1357035300250),
        ("1357035300000", 1357035300000),
    ],
)
def test_a_time_is_milliseconds_rfc_3339_or_a_day(text: str, ms: int) -> None:
    assert moment_ms(text) == ms
    assert moment_ms(str(moment(ms))) == ms


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1357035300", "seconds"),
        ("2013-01-01T10:15:00", "allowed: epoch milliseconds, RFC 3339 with an offset, or a day"),
        ("yesterday", "'yesterday' must be RFC 3339"),
        ("2013-02-30", "must be RFC 3339"),
        ("9" * 18, "above 4e12"),
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        moment_ms(text)


def test_a_stream_is_named_by_itself_or_by_its_topic() -> None:
    assert stream_named("labels", Names("staging")) == "labels"
    assert stream_named("staging.labels", Names("staging")) == "labels"


@pytest.mark.parametrize("text", ["incidents", "production.labels", "dead-letters", ""])
def test_other_topics_are_no_streams(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is none of predictions, labels, features, serving"):
        stream_named(text, Names("staging"))
