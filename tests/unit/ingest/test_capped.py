"""Every cap counts what is beyond it, and the runbook of the one alert names each."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import replace

from schemas.config import Generation, InForce
from schemas.monitored import FeatureMonitor, ModelMonitor
from schemas.reference import CategoricalProfile
from stream.ingest.capped import CAPS, MOST_FEATURES, Cap, of_generation, of_plans
from stream.ingest.counter import Counter as Counting
from stream.ingest.strangers import MOST_NAMES
from stream.ingest.unregistered import MOST
from stream.ingest.versions import MOST as MOST_VERSIONS
from tests.support.ingest import (
    FEATURES,
    NOON,
    OLD,
    Shelf,
    Stored,
    both,
    counter,
    event,
    monitor,
    reference,
    run,
    tenure,
)
from tests.support.source import ROOT


def generation(*monitors: ModelMonitor) -> Generation:
    models = {f"m{at}": InForce(reference=OLD, monitor=one) for at, one in enumerate(monitors)}
    return Generation(number=1, applied_ms=0, file_sha256="", models=models)


async def count(*values: bytes, each_alone: bool = False) -> Counting:
    """What has counted these events, as one run of records or each as its own."""
    owner, counting = tenure(), counter(both(), shelf=Shelf())
    records = [Stored(value, at, NOON) for at, value in enumerate(values)]
    for some in [[one] for one in records] if each_alone else [records]:
        await counting.add(run(some, owner), owner)
    await counting.drain()
    return counting


def beyond(counting: Counting) -> Counter[Cap]:
    return of_plans(counting.plans.values())


def test_the_runbook_has_a_row_for_every_cap_and_a_way_out() -> None:
    text = (ROOT / "docs" / "runbooks" / "DriftlineCapped.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", text, re.M)[1:] == list(CAPS)
    told = text.split("## Mitigation")[1]
    assert [cap for cap in CAPS if f"`{cap}`" not in told] == []


def test_a_configuration_says_which_features_it_folds_or_does_not_show() -> None:
    wide = {f"f{at}": FeatureMonitor(type="numeric") for at in range(MOST_FEATURES + 3)}
    plain = monitor(features={"carrier": FeatureMonitor(type="categorical", top=5)})
    found = of_generation(generation(monitor(), monitor(features=wide), plain), {OLD: reference("m")})
    # carrier has five names: the first model tells three apart; tail is hashed, and folds nothing.
    assert found == Counter(categories=1, series=3)


def test_a_reference_that_names_not_all_of_its_names_folds_too() -> None:
    built = reference("m")
    cut = CategoricalProfile(("UA",), (), (), rows=9, missing=0, other=4)
    found = of_generation(
        generation(monitor(features={"carrier": FEATURES["carrier"]})),
        {OLD: replace(built, features=dict(built.features) | {"carrier": cut})},
    )
    assert found["categories"] == 1


def test_a_new_version_an_event_is_counted_beyond_the_versions_that_are_told() -> None:
    events = [event(version=f"build-{at}") for at in range(MOST_VERSIONS + 7)]
    assert beyond(asyncio.run(count(*events, each_alone=True))) == Counter(versions=7)


def test_names_for_which_the_decoder_has_no_room_are_counted_and_learning_forgets_none() -> None:
    strange = event(features={"temp": 1} | {f"n{at}": 1 for at in range(MOST_NAMES + 4)})

    async def learn() -> int:
        counting = await count(strange)
        assert beyond(counting)["learned"] == 4
        assert await counting.learn()
        return beyond(counting)["learned"]

    assert asyncio.run(learn()) == 4


def test_names_of_features_that_are_not_kept_until_they_are_stored_are_counted() -> None:
    events = [event(features={f"n{at}": 1}) for at in range(MOST + 5)]
    assert beyond(asyncio.run(count(*events)))["undeclared"] == 5
