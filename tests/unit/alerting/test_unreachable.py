"""A route that can never be used is refused with its place and the reason; one that can be is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from alerting.unreachable import unreachable
from schemas.findings import KIND_CLASS, SEVERITIES
from schemas.monitored import RouteMonitor

DOMAINS = {
    "severity": frozenset(SEVERITIES), "kind": frozenset(KIND_CLASS), "class": frozenset(KIND_CLASS.values()),
    "model": frozenset({"flight-delay", "orders"}), "feature": frozenset({"", "temp"}), "source": frozenset({""}),
    "window": frozenset({"", "day"}), "owner": frozenset({"", "ann"}),
}  # fmt: skip


def problems(*children: dict[str, Any], **root: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """(place, why) of everything found in a root with these routes below it."""
    tree = RouteMonitor(receiver="team", routes=tuple(RouteMonitor(**child) for child in children), **root)
    return [(one.place, one.why) for one in unreachable(tree, DOMAINS)]


def test_a_tree_after_the_example_has_no_problem() -> None:
    assert problems(
        {"match": ('severity="P0"',), "receiver": "oncall"},
        {"match": ('severity="P1"', 'model=~"flight.*"'), "carry_on": True},
        {"match": ('severity=~"P1|P2"', 'feature=""')},
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (('severity="P4"',), 'no finding fulfils severity="P4" (severity is one of P0, P1, P2, P3)'),
        (('severity="P0"', 'severity="P1"'), 'no finding fulfils severity="P0" and severity="P1"'),
        (('severity!~"P."',), 'no finding fulfils severity!~"P."'),
        (('rule="a"', 'rule!="a"'), 'no finding fulfils rule="a" and rule!="a"'),
        (('model=""',), 'no finding fulfils model=""'),
        (('kind="drifted"',), 'no finding fulfils kind="drifted" (kind is one of burn, drift, duplicates,'),
    ],
)
def test_a_route_that_can_never_match_says_why(match: tuple[str, ...], said: str) -> None:
    [(place, why)] = problems({"match": match})
    assert place == ("routes", 0, "match")
    assert said in why


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((), ('severity="P0"',)),
        (('severity=~"P0|P1"',), ('severity="P0"',)),
        (('severity!="P2"',), ('severity="P0"', 'model="orders"')),
        (('model=~"flight.*"',), ('model="flight-delay"', 'severity="P1"')),
        (('class="data"',), ('class=~"data"', 'severity="P1"')),
        (('rule=~"ps.*"',), ('rule="psi"',)),
    ],
)
def test_a_route_behind_one_that_takes_all_of_it_is_hidden_unless_that_one_continues(
    first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    assert problems({"match": first}, {"match": second}) == [
        (("routes", 1), "can never match: route 1 before it takes all that it would, and does not `continue`")
    ]
    assert problems({"match": first, "carry_on": True}, {"match": second}) == []


def test_several_routes_together_can_hide_one() -> None:
    severities = [{"match": (f'severity="P{number}"',)} for number in range(4)]
    assert problems(*severities[:3], {"match": ('model="orders"',)}) == []
    [(place, why)] = problems(*severities, {"match": ('model="orders"',)})
    assert place == ("routes", 4)
    assert "routes 1 and 2 and 3 and 4 before it take all that it would, and do not `continue`" in why


def test_what_is_above_a_route_counts_too() -> None:
    inside = RouteMonitor(match=('severity="P1"',))
    [(place, _)] = problems({"match": ('severity="P0"',), "routes": (inside,)})
    assert place == ("routes", 0, "routes", 0, "match")


def test_the_root_has_no_matchers() -> None:
    [(place, why)] = problems(match=('severity="P0"',))
    assert (place, why) == (("match",), "the root takes everything: put matchers on the routes below it")
