"""What becomes a finding: edges and refreshes, in order, once; since when; and what a new configuration withdraws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.findings import Finding, Onset
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import judged as judged_in
from stream.evaluate.judging.window_verdicts import verdicts_of
from stream.evaluate.verdicts.standing import Standing, conclude, withdraw
from stream.evaluate.verdicts.verdict import Judged, Verdict
from tests.support.judged import DAY, DEST, TEMP, watched, window

OF = watched()


def verdict(state: Judged, *, at: int, **changed: Any) -> Verdict:
    fields: dict[str, Any] = {
        "rule": "psi",
        "kind": "drift",
        "subject": "feature:m/temp",
        "severity": "P2",
        "window": "day",
    }
    return Verdict(state=state, start_ms=(at - 1) * DAY, memory=DAY, every=DAY, **fields | changed)


def after(*states: Judged, standing: Standing | None = None, first: int = 1) -> tuple[list[Finding], Standing]:
    """A judgement a day, in order."""
    found, standing = [], standing or Standing()
    for at, state in enumerate(states, start=first):
        new, standing = conclude([verdict(state, at=at)], standing, at_ms=at * DAY, revision=0, seen_ms=at, watched=OF)
        found += new
    return found, standing


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        (["ok", "ok"], []),
        (["ok", "firing", "firing", "ok", "ok"], ["firing", "firing", "ok"]),
        (["no_data", "ok", "no_data"], []),
        (["firing", "no_data", "no_data", "firing"], ["firing", "no_data", "firing"]),
        (["firing", "no_data", "ok", "ok", "no_data"], ["firing", "no_data", "ok"]),
    ],
)
def test_edges_and_refreshes_leave_and_nothing_else(judged: list[Judged], told: list[str]) -> None:
    assert [finding.state for finding in after(*judged)[0]] == told


def test_what_is_not_clear_again_goes_on_where_it_was_told_and_begins_nothing() -> None:
    lasting = [verdict("firing" if at in (2, 5) else "ok", at=at, lasts=at in (1, 3, 6)) for at in range(1, 8)]
    found: list[Finding] = []
    standing = Standing()
    for at, one in enumerate(lasting, start=1):
        new, standing = conclude([one], standing, at_ms=at * DAY, revision=0, seen_ms=at, watched=OF)
        found += new
    assert [(one.at // DAY, one.state) for one in found] == [
        (2, "firing"),
        (3, "firing"),
        (4, "ok"),
        (5, "firing"),
        (6, "firing"),
        (7, "ok"),
    ]


def test_an_episode_began_after_the_start_of_the_last_clear_window() -> None:
    found, _ = after("ok", "ok", "no_data", "firing", "firing", "ok")
    assert {(finding.onset.lo, finding.onset.hi, finding.onset.coverage) for finding in found} == {(DAY, 4 * DAY, 0.95)}


def test_without_a_clear_window_it_began_after_the_start_of_the_first() -> None:
    found, _ = after("no_data", "firing")
    assert found[0].onset == Onset(0, 2 * DAY)


def test_the_next_episode_has_an_onset_of_its_own() -> None:
    found, _ = after("ok", "firing", "ok", "firing")
    assert [(finding.onset.lo, finding.onset.hi) for finding in found] == [
        (0, 2 * DAY),
        (0, 2 * DAY),
        (2 * DAY, 4 * DAY),
    ]


def test_an_onset_that_the_rule_knows_is_kept_through_the_episode() -> None:
    known = Onset(5, 6, 0.9)
    first, standing = conclude(
        [verdict("firing", at=1, onset=known)], Standing(), at_ms=DAY, revision=0, seen_ms=0, watched=OF
    )
    second, _ = conclude(
        [verdict("firing", at=2, onset=Onset(8, 9))], standing, at_ms=2 * DAY, revision=0, seen_ms=0, watched=OF
    )
    assert [first[0].onset, second[0].onset] == [known, known]


def test_a_finding_says_what_was_judged_and_until_when_it_holds() -> None:
    (found,), _ = after("firing")
    assert (found.key, found.rev, found.at, found.refresh_by) == ("psi|feature:m/temp||day", (DAY, 0), DAY, 2 * DAY)
    assert (found.model, found.memory, found.seen) == ("m", DAY, 1)


def test_what_is_over_keeps_the_severity_that_was_told() -> None:
    _, standing = conclude(
        [verdict("firing", at=1, severity="P1")], Standing(), at_ms=DAY, revision=0, seen_ms=0, watched=OF
    )
    (found,), _ = conclude(
        [verdict("ok", at=2, severity="P3")], standing, at_ms=2 * DAY, revision=0, seen_ms=0, watched=OF
    )
    assert (found.state, found.severity) == ("ok", "P1")


@pytest.mark.parametrize("state", ["ok", "firing", "no_data"])
def test_an_older_window_changes_and_says_nothing(state: Judged) -> None:
    _, standing = after("ok", "firing")
    assert conclude([verdict(state, at=1)], standing, at_ms=DAY, revision=9, seen_ms=0, watched=OF) == ([], standing)


def test_the_same_revision_again_says_the_same() -> None:
    told, standing = after("firing")
    again, after_it = conclude([verdict("firing", at=1)], standing, at_ms=DAY, revision=0, seen_ms=1, watched=OF)
    assert (again, after_it) == (told, standing)


def test_the_newest_window_revised_speaks_again() -> None:
    _, standing = after("ok", "firing")
    found, standing = conclude([verdict("ok", at=2)], standing, at_ms=2 * DAY, revision=3, seen_ms=0, watched=OF)
    assert [(finding.state, finding.rev) for finding in found] == [("ok", (2 * DAY, 3))]
    assert conclude([verdict("firing", at=2)], standing, at_ms=2 * DAY, revision=2, seen_ms=0, watched=OF)[0] == []


@given(st.lists(st.sampled_from(["ok", "firing", "no_data"]), max_size=8), st.integers(0, 8))
def test_a_judgement_repeated_from_what_was_stored_repeats_itself(judged: list[Judged], cut: int) -> None:
    whole, standing = after(*judged)
    told, stored = after(*judged[:cut])
    again, restored = after(
        *judged[cut:], standing=Standing.from_json(stored.to_json()), first=min(cut, len(judged)) + 1
    )
    assert [*told, *again] == whole
    assert restored == standing


def test_keys_that_are_not_judged_any_more_are_told_removed_if_they_were_told() -> None:
    _, standing = after("ok", "firing")
    quiet = [verdict("ok", at=2, subject="feature:m/dest")]
    _, standing = conclude(quiet, standing, at_ms=2 * DAY, revision=0, seen_ms=0, watched=OF)

    found, left = withdraw(standing, {"psi|feature:m/dest||day"}, at_ms=3 * DAY, seen_ms=4)
    assert [(finding.key, finding.state, finding.rev) for finding in found] == [
        ("psi|feature:m/temp||day", "removed", (3 * DAY, 0))
    ]
    assert list(left.keys) == ["psi|feature:m/dest||day"]
    assert withdraw(left, set(left.keys), at_ms=3 * DAY, seen_ms=4) == ([], left)


def test_a_removal_at_the_same_time_is_a_revision_of_its_own() -> None:
    told, standing = after("firing")
    (found,), _ = withdraw(standing, (), at_ms=DAY, seen_ms=4)
    assert found.rev == (DAY, 1)
    assert found.id != told[0].id


@pytest.mark.parametrize(
    "rows", [{"temp": TEMP + 4.0, "dest": DEST}, {"temp": TEMP, "dest": DEST}, {"temp": TEMP[:50]}]
)
@pytest.mark.parametrize("before", [{"temp": TEMP + 4.0, "dest": DEST[:700]}, {}])
def test_verdicts_that_are_made_only_when_they_are_asked_for_conclude_the_same(
    before: dict[str, Any], rows: dict[str, Any]
) -> None:
    concluded = []
    for read in (verdicts_of, judged_in):
        standing, found = Standing(), []
        for at, counted in enumerate((before, rows, rows), start=1):
            report = judge_window(OF, window(OF, counted), seen_ms=at)
            new, standing = conclude(
                read(report, OF), standing, at_ms=at * DAY, revision=at, seen_ms=at, watched=OF
            )  # fmt: skip
            found += new
        concluded.append((found, standing))
    assert concluded[0] == concluded[1]
    assert len(concluded[0][1].keys) == len(verdicts_of(report, OF)) > 0
