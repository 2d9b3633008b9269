"""Routing after Alertmanager: first match unless it continues, inheritance, and no default wait for a P0."""

from __future__ import annotations

import pytest

from alerting.matchers import matches, parse_matcher, written
from alerting.routing import audience, tree_of
from schemas.actions import Matcher
from schemas.monitored import RouteMonitor


def ends(route: RouteMonitor, **labels: str) -> list[tuple[str | None, int]]:
    """(receiver, wait) of the routes that a finding ends at."""
    tree = tree_of(route, open_wait=30_000, update_interval=300_000)
    return [(branch.receiver, branch.wait_of(labels.get("severity", "P2"))) for branch in audience(tree, labels)]


def test_the_first_child_that_matches_wins_and_continue_goes_on() -> None:
    first = RouteMonitor(match=('severity="P1"',), receiver="one")
    second = RouteMonitor(match=('model="a"',), receiver="two")
    going_on = first.model_copy(update={"carry_on": True})
    root = RouteMonitor(receiver="root", routes=(first, second))
    assert ends(root, severity="P1", model="a") == [("one", 30_000)]
    assert ends(root, severity="P2", model="a") == [("two", 30_000)]
    assert ends(root, severity="P2", model="b") == [("root", 30_000)]
    both = RouteMonitor(receiver="root", routes=(going_on, second))
    assert [name for name, _ in ends(both, severity="P1", model="a")] == ["one", "two"]


def test_receiver_and_waits_are_inherited_and_a_child_that_matches_nothing_below_is_the_end() -> None:
    inner = RouteMonitor(match=('feature="x"',), receiver="x")
    outer = RouteMonitor(match=('model="a"',), open_wait_ms=5_000, routes=(inner,))
    root = RouteMonitor(receiver="root", open_wait_ms=60_000, routes=(outer,))
    assert ends(root, model="a", severity="P2") == [("root", 5_000)]
    assert ends(root, model="a", feature="x", severity="P2") == [("x", 5_000)]
    assert ends(root, model="b", severity="P2") == [("root", 60_000)]


def test_a_p0_waits_only_where_a_route_below_the_root_says_so() -> None:
    said = RouteMonitor(match=('model="a"',), open_wait_ms=5_000)
    root = RouteMonitor(receiver="root", open_wait_ms=60_000, routes=(said,))
    assert ends(root, severity="P0", model="b") == [("root", 0)]
    assert ends(root, severity="P0", model="a") == [("root", 5_000)]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('x="temp"', "temp", True),
        ("x=temp", "temp", True),
        ('x!="temp"', "temp", False),
        ('x=~"te"', "temp", False),
        ('x=~"te.*|dewp"', "temp", True),
        ('x!~"te"', "temp", True),
        ('x!~"te.*"', "temp", False),
        ('x=""', None, True),
        ('x=~"\\d+"', "12", True),
    ],
)
def test_a_regular_expression_matches_the_whole_value_and_a_missing_label_is_empty(
    text: str, value: str | None, expected: bool
) -> None:
    assert matches(parse_matcher(text), {} if value is None else {"x": value}) is expected


@pytest.mark.parametrize("text", ["", "severity", 'x="a', 'x="a"b"', "x=~(", 'x=a"b', 'x="a\\"'])
def test_what_is_no_matcher_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"no matcher|quote|regular expression"):
        parse_matcher(text)


@pytest.mark.parametrize("value", ["plain", 'a"b', "a\\b", "line\nbreak", "", "<!channel>"])
def test_a_written_matcher_reads_back(value: str) -> None:
    matcher = Matcher("feature", "!=", value)
    assert parse_matcher(written(matcher)) == matcher
