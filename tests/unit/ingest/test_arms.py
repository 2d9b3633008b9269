"""What is counted by version while a model has a release, with numbers written out."""

from __future__ import annotations

import json
from random import Random

import numpy as np
import pytest

from schemas.config import InForce
from schemas.names import Stream
from stream.evaluate.columns.arms import Versions, arm_of, events_of, versions_of
from stream.state.arms import ARMS, stored_form
from stream.state.packing import Partial, pack
from tests.support.arms import RELEASE, answered, counted, one
from tests.support.ingest import OLD, applied, both, monitor


def test_each_arm_counts_its_own_events_and_nobody_elses() -> None:
    layout, partial = one(
        "predictions",
        [
            answered("3", latency_s=0.25, status="success", prediction={"score": 0.2}, id="a"),
            answered("3", latency_s=0.5, status="error", input_tokens=12),
            answered("4", latency_s=3, prediction={"score": 0.95}, output_tokens=7),
            answered("5", latency_s=100, status="error", prediction={"score": 0.5}, id="a"),
            answered(latency_s=100, id="a"),
        ],
    )
    assert events_of(partial) == 5
    assert versions_of(layout, partial) == Versions(champion=2, challenger=1, other=1, none=1)
    champion, challenger = arm_of(layout, partial, "champion"), arm_of(layout, partial, "challenger")
    assert (champion.version, champion.requests, champion.errors) == ("3", 2, 1)
    assert (challenger.version, challenger.requests, challenger.errors) == ("4", 1, 0)
    assert champion.latency_s.edges[:1] == challenger.latency_s.edges[:1] == (np.nextafter(0.001, 1),)
    assert (champion.latency_s.n, champion.latency_s.total, champion.latency_s.squares) == (2, 0.75, 0.3125)
    assert (challenger.latency_s.n, challenger.latency_s.total, challenger.latency_s.squares) == (1, 3.0, 9.0)
    assert champion.score.edges == challenger.score.edges == (0.1, 0.5, 0.9)
    assert champion.score.counts.tolist() == [0, 1, 0, 0]
    assert champion.score.missing == 1
    assert challenger.score.counts.tolist() == [0, 0, 0, 1]
    assert champion.input_tokens.total == 12
    assert challenger.output_tokens.total == 7
    assert (champion.with_id, np.abs(champion.ids).sum()) == (1, 1)
    assert (challenger.with_id, np.abs(challenger.ids).sum()) == (0, 0)
    assert champion.rating.n == 0


def test_the_same_ids_fall_into_the_same_signed_buckets_whichever_version_answers() -> None:
    ids = [f"user-{number}" for number in range(500)]
    layout, partial = one("predictions", [answered(version, id=each) for each in ids for version in ("3", "4", "4")])
    champion, challenger = (arm_of(layout, partial, arm).ids for arm in ARMS)
    assert len(champion) == 1024
    assert (2 * champion == challenger).all()
    # Different ids fall on different signs: the product with ids of others is small beside that with themselves.
    layout, partial = one("predictions", [answered("4", id=f"guest-{number}") for number in range(500)])
    other = arm_of(layout, partial, "challenger").ids
    assert (int(champion @ champion), int(champion @ other)) == (538, -2)


def test_ratings_come_with_labels_and_with_serving() -> None:
    labels = [
        answered("3", id="a", rating=4),
        answered("4", id="b", rating=2.5),
        answered("4", id="c", rating=3),
        answered(id="d", rating=5),
    ]
    layout, partial = one("labels", labels)
    found = [arm_of(layout, partial, arm) for arm in ARMS]
    assert [(arm.rating.n, arm.rating.total, arm.rating.squares) for arm in found] == [(1, 4.0, 16.0), (2, 5.5, 15.25)]
    assert [arm.requests for arm in found] == [1, 2]
    assert [len(arm.ids) for arm in found] == [0, 0]
    layout, partial = one("serving", [answered("4", rating=4, status="error"), answered("3", status="success")])
    found = [arm_of(layout, partial, arm) for arm in ARMS]
    assert [(arm.requests, arm.errors, arm.rating.n, arm.rating.missing) for arm in found] == [
        (1, 0, 0, 1),
        (1, 1, 1, 0),
    ]


def test_the_feature_stores_events_have_no_version() -> None:
    plan = both(release=RELEASE)["features"]
    assert plan.arms is None
    assert both()["predictions"].arms is None


@pytest.mark.parametrize("stream", ["predictions", "labels", "serving"])
def test_what_stands_in_the_layouts_of_streams_is_as_it_was(stream: Stream) -> None:
    with_release, without = both(release=RELEASE)[stream], both()[stream]
    assert [layout.hash for layout in with_release.tables.layouts] == [layout.hash for layout in without.tables.layouts]


def test_a_number_is_its_text_and_what_nobody_released_is_other() -> None:
    versions = [3, "3", 4, "", "v4", 10**400, "4 ", None]
    layout, partial = one("predictions", [answered() | {"version": version} for version in versions])
    assert versions_of(layout, partial) == Versions(champion=2, challenger=1, other=4, none=1)


def test_a_full_pane_takes_a_third_of_what_its_cells_would_and_the_streams_own_is_stored_as_ever() -> None:
    chance = Random(1)
    events = [answered(chance.choice("3334"), id=f"u{at}", latency_s=chance.random()) for at in range(5_000)]
    layout, partial = one("predictions", events)
    assert len(stored_form(layout, partial)) < 3_500 < 9_000 < len(pack(partial))
    own = applied(trees=InForce(reference=OLD, monitor=monitor()))["predictions"].tables.layouts[0]
    full = Partial(np.ones(own.cells, np.int64), np.zeros(2, np.int64), np.zeros(2))
    assert stored_form(own, full) == pack(full)


def test_ten_thousand_versions_are_counted_together_and_kept_nowhere() -> None:
    plan = applied(trees=InForce(reference=OLD, monitor=monitor(release=RELEASE)))["predictions"]
    assert plan.arms is not None
    table = plan.arms.found.named[0][0].table
    held = len(table)
    values = [json.dumps(answered(f"build-{number}", latency_s=1)).encode() for number in range(10_000)]
    ((layout, partial),) = counted(plan, [*values, json.dumps(answered("4")).encode()]).values()
    assert versions_of(layout, partial) == Versions(champion=0, challenger=1, other=10_000, none=0)
    assert len(table) == held
    assert len(pack(partial)) < 400
