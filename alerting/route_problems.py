"""What is wrong with a routing tree before it is in force: routes that can never match, and receivers nobody reaches.

A route is reached by findings that its own matchers and those of every route above it accept, and that no earlier sibling
without ``continue`` has taken.  Labels with few values (severity, kind, class) are tried one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alerting.matchers import accepts, parse_matcher, written
from schemas.actions import Matcher
from schemas.findings import KIND_CLASS, SEVERITIES
from schemas.monitored import RouteMonitor

#: The labels of findings; those with few values, and whether a finding may lack them.
VALUES: dict[str, tuple[str, ...]] = {
    "severity": SEVERITIES,
    "kind": tuple(KIND_CLASS),
    "class": tuple(dict.fromkeys((*KIND_CLASS.values(), "gpu"))),
}
LABELS = ("severity", "model", "feature", "source", "kind", "class", "rule", "window", "segment", "owner", "subject")
ALWAYS = ("severity", "model", "kind", "class", "rule", "subject")

Problem = tuple[str, str]


def problems_of_routes(route: RouteMonitor, receivers: Iterable[str]) -> list[Problem]:
    """(path, message) of everything that keeps a route from ever being used, ``route.routes.1`` being a path."""
    known = sorted(receivers)
    found = [("route.match", "the root matches everything: put matchers on the routes below it")] if route.match else []
    found += [("route.receiver", "is missing: the root says who is told by default")] if route.receiver is None else []
    return found + list(_problems(route, "route", known, above=()))


def warnings_of_routes(route: RouteMonitor, receivers: Iterable[str]) -> list[Problem]:
    """(path, message) of receivers that no route names."""
    named = set(_named(route))
    return [(f"receivers.{name}", "no route leads to this receiver") for name in sorted(receivers) if name not in named]


def _named(route: RouteMonitor) -> Iterator[str]:
    if route.receiver is not None:
        yield route.receiver
    for child in route.routes:
        yield from _named(child)


def _problems(route: RouteMonitor, path: str, known: list[str], *, above: tuple[Matcher, ...]) -> Iterator[Problem]:
    if route.receiver is not None and route.receiver not in known:
        yield f"{path}.receiver", f"{route.receiver!r} is not declared. Declared: {', '.join(known) or 'none'}"
    taken: list[tuple[int, tuple[Matcher, ...]]] = []
    for index, child in enumerate(route.routes):
        place = f"{path}.routes.{index}"
        try:
            own = tuple(map(parse_matcher, child.match))
        except ValueError as error:
            yield f"{place}.match", str(error)
            continue
        never = _never((*above, *own), taken)
        if never:
            yield f"{place}.match", never
        else:
            yield from _problems(child, place, known, above=(*above, *own))
        if not child.carry_on:
            taken.append((index, own))


def _never(matchers: tuple[Matcher, ...], taken: list[tuple[int, tuple[Matcher, ...]]]) -> str | None:
    """Why no finding can ever come here, or None."""
    for label in dict.fromkeys(matcher.label for matcher in matchers):
        problem = _contradiction(label, [matcher for matcher in matchers if matcher.label == label])
        if problem:
            return f"this route can never match: {problem}"
    left = [value for value in SEVERITIES if all(accepts(m, value) for m in matchers if m.label == "severity")]
    takers: dict[int, None] = {}
    for severity in left:
        given = (*matchers, Matcher("severity", "=", severity))
        by = next((index for index, others in taken if all(_implied(other, given) for other in others)), None)
        if by is None:
            return None
        takers[by] = None
    names = " and ".join(f"routes.{index}" for index in takers)
    return f"this route can never match: {names} before it takes everything that it would; give that `continue: true`, or move it"


def _contradiction(label: str, matchers: list[Matcher]) -> str | None:
    said = " and ".join(map(written, matchers))
    if label not in LABELS:
        if all(accepts(matcher, "") for matcher in matchers):
            return None
        return f"no finding has the label {label!r}; there are {', '.join(LABELS)}"
    values = _possible(label, matchers)
    if values is None or any(all(accepts(matcher, value) for matcher in matchers) for value in values):
        return None
    allowed = f"; {label} is one of {', '.join(VALUES[label])}" if label in VALUES else ""
    return f"nothing fulfils {said}{allowed}"


def _possible(label: str, matchers: Iterable[Matcher]) -> tuple[str, ...] | None:
    """Every value that has to be tried to know whether the matchers contradict each other; None: they cannot be counted."""
    if label in VALUES:
        return VALUES[label]
    equal = tuple(matcher.value for matcher in matchers if matcher.operator == "=")
    if label in ALWAYS:
        equal = tuple(value for value in equal if value)
        return equal or (() if any(m.operator == "=" for m in matchers) else None)
    return equal or None


def _implied(matcher: Matcher, given: tuple[Matcher, ...]) -> bool:
    """Whether everything that fulfils what is given fulfils the matcher."""
    if matcher in given:
        return True
    same = [other for other in given if other.label == matcher.label]
    values = VALUES.get(matcher.label) or tuple(other.value for other in same if other.operator == "=")
    left = [value for value in values if all(accepts(other, value) for other in same)]
    return bool(left) and all(accepts(matcher, value) for value in left)
