"""Regular expressions that strangers write: read only where they can be matched in a bounded time.

Python's matcher tries one way after another, and a short expression may have more ways than there are atoms: ``(a+)+x``.
So the ways are counted beforehand, from the expression's own tree, for a value of ``SEEN`` characters; with more than ``WAYS``
it is refused.  Repeats one after another multiply, and a repeat of what may be read in two ways is a power.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

#: So long an expression may be, with so many groups (reading nests with them), and so many characters of a value it sees.
LONGEST, GROUPS, SEEN = 500, 50, 200
#: Room for three unbounded repeats and a handful of alternatives.
WAYS = 50_000_000

_parser: Any = import_module("re._parser")


def fits(pattern: str, value: str) -> bool:
    """Whether the expression matches the whole value, or of a longer one the first ``SEEN`` characters.

    :raises ValueError: :func:`pattern_problem` has something to say of it.

    >>> fits("temp|dewp", "temp"), fits("temp|dewp", "temperature")
    (True, False)
    """
    return _compiled(pattern).fullmatch(value, 0, SEEN) is not None


def pattern_problem(pattern: str) -> str | None:
    """Why an expression cannot be used, or None.

    >>> pattern_problem("flight.*") is None
    True
    """
    try:
        _compiled(pattern)
    except ValueError as error:
        return str(error)
    return None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > LONGEST:
        raise ValueError(f"a regular expression of {len(pattern)} characters; at most {LONGEST} are read")
    if pattern.count("(") > GROUPS:
        raise ValueError(f"a regular expression of {pattern.count('(')} groups; at most {GROUPS} are read")
    try:
        compiled = re.compile(pattern)
        ways = _of_all(_parser.parse(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{_cut(pattern)!r} is no regular expression: {error}") from None
    if ways > WAYS:
        raise ValueError(
            f"{_cut(pattern)!r} may take too long to match: repeat nothing that is itself repeated or has alternatives, "
            "and write at most three of .* and the like"
        )
    return compiled


def _cut(pattern: str) -> str:
    return pattern if len(pattern) <= 60 else f"{pattern[:60]}…"


def _of_all(items: Iterable[tuple[Any, Any]]) -> int:
    """In how many ways a sequence may be read; beyond ``WAYS`` it does not matter how many."""
    ways = 1
    for operation, argument in items:
        ways = min(ways * _of_one(str(operation), argument), WAYS + 1)
    return ways


def _of_one(operation: str, argument: Any) -> int:
    counted = _COUNTED.get(operation)
    return 1 if counted is None else counted(argument)


def _repeat(argument: Any) -> int:
    least, most, inner = int(argument[0]), int(argument[1]), argument[2]
    ways = _of_all(inner)
    # What may be empty is repeated as often as is said, however short the value.
    turns = max(least, 1) if inner.getwidth()[0] == 0 else 1
    least, most = min(least, SEEN), min(most, SEEN)
    if ways == 1:
        return min(turns * (most - least + 1), WAYS + 1)
    powers: list[int] = [ways**times for times in range(least, min(most, least + 30) + 1)]  # 2**30 is too many already
    return min(turns * sum(powers), WAYS + 1)


#: What may be read in more ways than one; everything else (a character, a class, a place) in one.
_COUNTED: Mapping[str, Callable[[Any], int]] = {
    "BRANCH": lambda argument: sum(map(_of_all, argument[1])),
    "SUBPATTERN": lambda argument: _of_all(argument[3]),
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
    "ATOMIC_GROUP": lambda argument: _of_all(argument),
    "ASSERT": lambda argument: _of_all(argument[1]),
    "ASSERT_NOT": lambda argument: _of_all(argument[1]),
    "GROUPREF_EXISTS": lambda argument: sum(_of_all(branch or ()) for branch in argument[1:]),
}
