"""Routes that no finding can ever reach: what a monitors file says and cannot mean.

A label's matchers along a path of the tree must leave it a value: those that the file itself bounds (severities, models,
features …) are tried one by one, others are compared with each other.  A route behind siblings that take at least as much,
one or several by severity, and do not ``continue``, is never reached either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from alerting.matchers import accepts, parse_matcher, written
from schemas.actions import Matcher
from schemas.findings import KIND_CLASS, SEVERITIES, Kind
from schemas.monitored import Monitors, RouteMonitor

#: Labels whose values the file does not bound.
OPEN = ("rule", "subject", "segment")
Place = tuple[str | int, ...]
Domains = Mapping[str, frozenset[str]]
Matchers = tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Where in the file (below ``route``), and why."""

    place: Place
    why: str


def domains_of(monitors: Monitors) -> dict[str, frozenset[str]]:
    """The values that each bounded label can have; an empty one where a finding may be without it."""
    models = monitors.models.values()
    owners = {monitor.owner for monitor in models} | {source.owner for source in monitors.sources.values()}
    features = {name: feature for monitor in models for name, feature in monitor.features.items()}
    owners |= {feature.owner for feature in features.values()}
    windows = {window for monitor in models for window in monitor.windows} | {"slow"}
    return {
        "severity": frozenset(SEVERITIES),
        "kind": frozenset(get_args(Kind)),
        "class": frozenset(KIND_CLASS.values()),
        "model": frozenset(monitors.models),
        "feature": frozenset({"", *features}),
        "source": frozenset({"", *monitors.sources}),
        "window": frozenset({"", *windows}),
        "owner": frozenset({"", *(owner for owner in owners if owner)}),
    }


def unreachable(route: RouteMonitor, domains: Domains) -> Iterator[Unreachable]:
    """Every route of the tree that can never match, and every matcher that cannot be read."""
    if route.match:
        yield Unreachable(("match",), "the root takes everything: put matchers on the routes below it")
    yield from _below(route, (), above=(), domains=domains)


def _below(route: RouteMonitor, place: Place, *, above: tuple[Matcher, ...], domains: Domains) -> Iterator[Unreachable]:
    own, problems = _read(route, place, domains)
    yield from problems
    if problems:
        return
    matchers = (*above, *own)
    why = _impossible(matchers, domains)
    if why:
        yield Unreachable((*place, "match"), why)
        return
    yield from _hidden(route, place, matchers, domains=domains)
    for index, child in enumerate(route.routes):
        yield from _below(child, (*place, "routes", index), above=matchers, domains=domains)


def _read(route: RouteMonitor, place: Place, domains: Domains) -> tuple[list[Matcher], list[Unreachable]]:
    found: list[Matcher] = []
    problems: list[Unreachable] = []
    known = sorted((*domains, *OPEN))
    for index, text in enumerate(route.match):
        try:
            matcher = parse_matcher(text)
        except ValueError as error:
            problems.append(Unreachable((*place, "match", index), str(error)))
            continue
        if matcher.label not in known:
            said = f"{matcher.label!r} is no label of a finding; labels are {', '.join(known)}"
            problems.append(Unreachable((*place, "match", index), said))
        found.append(matcher)
    return found, problems


def _impossible(matchers: Iterable[Matcher], domains: Domains) -> str:
    """Why no finding fulfils all of these; empty where one might."""
    by_label: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        by_label.setdefault(matcher.label, []).append(matcher)
    for label, on_label in by_label.items():
        exact = {matcher.value for matcher in on_label if matcher.operator == "="}
        values = domains.get(label) or exact
        if values and not any(all(accepts(matcher, value) for matcher in on_label) for value in values):
            allowed = f" ({label} is one of {', '.join(sorted(values - {''}))})" if label in domains else ""
            return f"can never match: no finding fulfils {' and '.join(map(written, on_label))}{allowed}"
    return ""


def _hidden(route: RouteMonitor, place: Place, above: Matchers, *, domains: Domains) -> Iterator[Unreachable]:
    """The children behind siblings that take all that they would, one of them or several together."""
    before: list[tuple[int, Matchers]] = []
    for index, child in enumerate(route.routes):
        try:
            own = tuple(map(parse_matcher, child.match))
        except ValueError:
            continue
        takers = _takers((*above, *own), before, domains)
        if takers:
            names, verb = " and ".join(str(at + 1) for at in takers), "take" if len(takers) > 1 else "takes"
            routes, do = ("routes", "do") if len(takers) > 1 else ("route", "does")
            said = f"can never match: {routes} {names} before it {verb} all that it would, and {do} not `continue`"
            yield Unreachable((*place, "routes", index), said)
        if not child.carry_on:
            before.append((index, own))


def _takers(matchers: Matchers, before: list[tuple[int, Matchers]], domains: Domains) -> list[int]:
    """The siblings that together take every severity of what these matchers accept; none where something is left."""
    takers: dict[int, None] = {}
    for severity in SEVERITIES:
        given = (*matchers, Matcher("severity", "=", severity))
        if _impossible(given, domains):
            continue
        taker = next((at for at, taken in before if all(_implied(one, given, domains) for one in taken)), None)
        if taker is None:
            return []
        takers[taker] = None
    return list(takers)


def _implied(matcher: Matcher, given: Matchers, domains: Domains) -> bool:
    """Whether everything that fulfils what is given fulfils the matcher."""
    if matcher in given:
        return True
    same = [other for other in given if other.label == matcher.label]
    values = domains.get(matcher.label) or {other.value for other in same if other.operator == "="}
    left = [value for value in values if all(accepts(other, value) for other in same)]
    return bool(left) and all(accepts(matcher, value) for value in left)
