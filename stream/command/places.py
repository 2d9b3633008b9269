"""How dead letters are named on the command line: by their reason, or by the record they are about."""

from __future__ import annotations

from typing import Annotated

import typer

from schemas.errors import REASONS

#: Dead letters of each partition that are looked through for a reason or a place.
SEARCHED = 20_000


def reason_named(text: str) -> str:
    """A reason of the closed list.

    :raises typer.BadParameter: it is none.
    """
    if text not in REASONS:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(REASONS)}")
    return text


Reason = Annotated[
    str | None, typer.Option(parser=reason_named, metavar="REASON", help="Only these, such as not_json.")
]


def place_of(text: str) -> tuple[str, int, int]:
    """Topic, partition and offset of a record.

    :raises typer.BadParameter: it is no ``TOPIC:PARTITION:OFFSET``.

    >>> place_of("predictions:3:1200")
    ('predictions', 3, 1200)
    """
    topic, *numbers = text.rsplit(":", 2)
    if not topic or len(numbers) != 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise typer.BadParameter(f"{text!r} is not TOPIC:PARTITION:OFFSET, such as predictions:3:1200")
    return topic, int(numbers[0]), int(numbers[1])
