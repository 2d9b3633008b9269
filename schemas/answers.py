"""Answers: what became of an action, from the incident owner to the command that waits for it."""

from __future__ import annotations

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """Whether it was done, and what there is to say."""

    done: bool
    said: str


_DECODER = msgspec.json.Decoder(Answer)


def encode(answer: Answer) -> bytes:
    """The answer's JSON."""
    return msgspec.json.encode(answer)


def decode(value: bytes) -> Answer:
    """:raises msgspec.DecodeError: it is damaged."""
    return _DECODER.decode(value)
