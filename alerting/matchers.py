"""Matchers: one condition on a finding's labels, as Alertmanager writes it.

``=``, ``!=``, ``=~`` and ``!~``; a regular expression matches the whole value, and may be refused
(:mod:`alerting.patterns`); a label that is not there is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

from alerting.patterns import fits, pattern_problem
from schemas.actions import Matcher, Operator

_WRITTEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_matcher(text: str) -> Matcher:
    r"""Read ``label="value"``; quotes may be left out where the value has none.

    :raises ValueError: it is not a matcher, or its regular expression is not one.

    >>> parse_matcher('feature=~"temp|dewp"')
    Matcher(label='feature', operator='=~', value='temp|dewp')
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f'{text!r} is no matcher; one is model="fraud", with one of =, !=, =~, !~')
    label, operator, value = found.groups()
    matcher = Matcher(label, cast(Operator, operator), _unquoted(value, text))
    problem = regex_problem(matcher)
    if problem:
        raise ValueError(problem)
    return matcher


def regex_problem(matcher: Matcher) -> str | None:
    """What is wrong with a matcher's regular expression, or None."""
    if "~" not in matcher.operator:
        return None
    problem = pattern_problem(matcher.value)
    return None if problem is None else f"{matcher.label}{matcher.operator}: {problem}"


def matches(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether the labels fulfil the condition.

    >>> matches(Matcher("feature", "!~", "temp.*"), {"feature": "humid"})
    True
    """
    return accepts(matcher, labels.get(matcher.label, ""))


def accepts(matcher: Matcher, value: str) -> bool:
    """Whether a value of its label fulfils the condition."""
    if matcher.operator == "=":
        return value == matcher.value
    if matcher.operator == "!=":
        return value != matcher.value
    return fits(matcher.value, value) == (matcher.operator == "=~")


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether the labels fulfil every condition."""
    return all(matches(matcher, labels) for matcher in matchers)


def written(matcher: Matcher) -> str:
    r"""The matcher as people write it, such that it reads back.

    >>> written(Matcher("feature", "=", 'a"b'))
    'feature="a\\"b"'
    """
    value = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{matcher.label}{matcher.operator}"{value}"'


def _unquoted(value: str, text: str) -> str:
    if not value.startswith('"'):
        if '"' in value:
            raise ValueError(f'{text!r}: a quote in the middle of a value; write it as "…" with \\" inside')
        return value
    inner = value[1:-1]
    if len(value) < 2 or not value.endswith('"') or re.search(r'(?<!\\)(?:\\\\)*"', inner) or _odd_end(inner):
        raise ValueError(f"{text!r}: the quotes do not match")
    return _ESCAPED.sub(lambda found: "\n" if found.group(1) == "n" else _kept(found.group(1)), inner)


def _kept(character: str) -> str:
    """An escaped quote or backslash is itself; any other escape belongs to a regular expression."""
    return character if character in '"\\' else "\\" + character


def _odd_end(text: str) -> bool:
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1
