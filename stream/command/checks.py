"""What ``driftline doctor`` finds: one line a check, of what it is, how it is, and what to do.

A check that fails itself is a line too, and does not end the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from confluent_kafka import KafkaException
from redis.exceptions import RedisError

from schemas.errors import DriftlineError
from stream.state.config_topic import spoken

#: ``wrong`` needs somebody; ``look`` is worth a look and may be meant.
State = Literal["ok", "look", "wrong"]


@dataclass(frozen=True, slots=True)
class Found:
    """One line: ``what`` was looked at, what it is (``value``), and what to ``do`` where it is not well."""

    what: str
    state: State
    value: str
    do: str = ""


Check = Callable[[], Iterable[Found]]


def found_by(checks: Sequence[tuple[str, Check]]) -> Iterator[Found]:
    """The lines of all checks, in order; ``what`` names the check where it fails itself."""
    for what, check in checks:
        try:
            yield from check()
        except KafkaException as error:
            yield Found(what, "wrong", f"could not be looked at: {spoken(error)}", "see the line about Kafka")
        except (RedisError, OSError) as error:
            yield Found(what, "wrong", f"could not be looked at: {error}", "see the line about Redis")
        except DriftlineError as error:
            yield Found(what, "wrong", f"could not be looked at: {error}", "correct this first")
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            said = f"what is stored cannot be read ({type(error).__name__})"
            yield Found(what, "wrong", said, "see docs/operations.md, When something is lost")


def judged(what: str, value: str, *, wrong: bool = False, look: bool = False, do: str = "") -> Found:
    """A line whose ``do`` is only said where it is not well."""
    state: State = "wrong" if wrong else "look" if look else "ok"
    return Found(what, state, value, "" if state == "ok" else do)
