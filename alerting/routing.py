"""The routing tree: whom a finding reaches, and with which waits.

Alertmanager's rules: depth first, left to right; the first child that matches wins unless it says ``continue``; a node none
of whose children matches is itself the match; the root matches everything.  Receiver, waits and intervals are inherited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alerting.matchers import all_match, parse_matcher
from schemas.actions import Matcher
from schemas.monitored import RouteMonitor


@dataclass(frozen=True, slots=True)
class Branch:
    """A route with everything inherited filled in; times are ms of the owner's clock."""

    receiver: str | None
    matchers: tuple[Matcher, ...] = ()
    carry_on: bool = False
    open_wait: int = 0
    #: The wait of a P0: 0 unless this route or one above it, the root aside, says otherwise.
    urgent_wait: int = 0
    update_interval: int = 0
    repeat_interval: int | None = None
    branches: tuple[Branch, ...] = ()

    def wait_of(self, severity: str) -> int:
        """How long an incident is held back before it is told here."""
        return self.urgent_wait if severity == "P0" else self.open_wait


def tree_of(route: RouteMonitor, *, open_wait: int, update_interval: int) -> Branch:
    """The tree with inheritance resolved; the two times hold where the root says nothing.

    :raises ValueError: a matcher cannot be read.
    """
    top = Branch(receiver=route.receiver, open_wait=open_wait, update_interval=update_interval)
    return _branch(route, top, root=True)


def audience(tree: Branch, labels: Mapping[str, str]) -> tuple[Branch, ...]:
    """The routes that a finding with these labels ends at, in the tree's order; at least one."""
    return tuple(path[-1] for path in paths(tree, labels))


def paths(tree: Branch, labels: Mapping[str, str]) -> tuple[tuple[Branch, ...], ...]:
    """The same, each with the routes that lead there, from the root on."""
    found: list[tuple[Branch, ...]] = []
    for branch in tree.branches:
        if all_match(branch.matchers, labels):
            found.extend((tree, *path) for path in paths(branch, labels))
            if not branch.carry_on:
                break
    return tuple(found) or ((tree,),)


def _branch(route: RouteMonitor, above: Branch, *, root: bool = False) -> Branch:
    wait = route.open_wait_ms
    own = Branch(
        receiver=above.receiver if route.receiver is None else route.receiver,
        matchers=tuple(map(parse_matcher, route.match)),
        carry_on=route.carry_on,
        open_wait=above.open_wait if wait is None else wait,
        # The root's own wait is everybody's default, and no P0 is held back by a default.
        urgent_wait=above.urgent_wait if wait is None or root else wait,
        update_interval=_first(route.update_interval_ms, above.update_interval),
        repeat_interval=above.repeat_interval if route.repeat_interval_ms is None else route.repeat_interval_ms,
    )
    return replace(own, branches=tuple(_branch(child, own) for child in route.routes))


def _first(said: int | None, inherited: int) -> int:
    return inherited if said is None else said
