"""A route that can never be used is refused with its path and the reason; one that can be is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from alerting.route_problems import problems_of_routes, warnings_of_routes
from schemas.monitored import RouteMonitor


def tree(*children: dict[str, Any]) -> RouteMonitor:
    """A root with these routes below it."""
    return RouteMonitor(receiver="team", routes=tuple(RouteMonitor(**child) for child in children))


def problems(*children: dict[str, Any]) -> list[tuple[str, str]]:
    """What is found in it; the declared receivers are team and oncall."""
    return problems_of_routes(tree(*children), ["team", "oncall"])


def test_a_tree_after_the_example_has_no_problem() -> None:
    assert problems(
        {"match": ('severity="P0"',), "receiver": "oncall"},
        {"match": ('severity="P1"', 'model=~"flight.*"'), "carry_on": True},
        {"match": ('severity=~"P1|P2"', 'feature=""')},
    ) == []  # fmt: skip


def test_an_unknown_receiver_is_named_with_its_path() -> None:
    [(path, said)] = problems({"match": ('severity="P0"',), "receiver": "onkall"})
    assert path == "route.routes.0.receiver"
    assert said == "'onkall' is not declared. Declared: oncall, team"


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (('severity="P4"',), 'nothing fulfils severity="P4"; severity is one of P0, P1, P2, P3'),
        (('severity="P0"', 'severity="P1"'), 'nothing fulfils severity="P0" and severity="P1"'),
        (('severity!~"P."',), 'nothing fulfils severity!~"P."'),
        (('model="a"', 'model!="a"'), 'nothing fulfils model="a" and model!="a"'),
        (('model=""',), 'nothing fulfils model=""'),
        (('kind="drifted"',), 'nothing fulfils kind="drifted"; kind is one of drift, missing'),
        (('team="x"',), "no finding has the label 'team'; there are severity, model"),
        (('model=~"("',), "'(' is no regular expression"),
        (("severity P0",), 'is no matcher; one is severity="P0"'),
    ],
)
def test_a_route_that_can_never_match_says_why(match: tuple[str, ...], said: str) -> None:
    [(path, message)] = problems({"match": match})
    assert path == "route.routes.0.match"
    assert said in message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((), ('severity="P0"',)),
        (('severity=~"P0|P1"',), ('severity="P0"',)),
        (('severity!="P2"',), ('severity="P0"', 'model="a"')),
        (('model=~"flight.*"',), ('model="flight-delay"', 'severity="P1"')),
        (('class="data"',), ('class=~"data"', 'severity="P1"')),
    ],
)
def test_a_route_behind_one_that_takes_all_of_it_is_shadowed_unless_that_one_continues(
    first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    [(path, said)] = problems({"match": first}, {"match": second})
    assert (path, "routes.0 before it takes everything" in said) == ("route.routes.1.match", True)
    assert problems({"match": first, "carry_on": True}, {"match": second}) == []


def test_several_routes_together_can_shadow_one() -> None:
    severities = [{"match": (f'severity="P{number}"',)} for number in range(4)]
    assert problems(*severities[:3], {"match": ('model="a"',)}) == []
    [(path, said)] = problems(*severities, {"match": ('model="a"',)})
    assert path == "route.routes.4.match"
    assert "routes.0 and routes.1 and routes.2 and routes.3 before it" in said


def test_what_is_above_a_route_counts_too() -> None:
    inside = RouteMonitor(match=('severity="P1"',))
    outer = RouteMonitor(match=('severity="P0"',), routes=(inside,))
    [(path, _)] = problems_of_routes(RouteMonitor(receiver="team", routes=(outer,)), ["team"])
    assert path == "route.routes.0.routes.0.match"


def test_the_root_needs_a_receiver_and_no_matchers() -> None:
    found = problems_of_routes(RouteMonitor(match=('severity="P0"',)), [])
    assert [path for path, _ in found] == ["route.match", "route.receiver"]


def test_a_receiver_that_nobody_routes_to_is_a_warning() -> None:
    assert warnings_of_routes(tree(), ["team", "oncall"]) == [("receivers.oncall", "no route leads to this receiver")]
