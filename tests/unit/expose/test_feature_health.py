"""How the features of a model are: the worst of their windows, why and where, and what nobody declared."""

from __future__ import annotations

from datetime import date

from schemas.monitored import Change, FeatureMonitor, ModelMonitor
from schemas.reports import Column, Measure, Report
from stream.expose.feature_health import FeatureHealth, features_of, unhealthy_of
from tests.support.judged import DAY, monitor

BEYOND = Measure(0.5, threshold=0.25, exceeded=True)


def report(window: str, *, stream: str = "predictions", state: str = "ok", **features: Column) -> Report:
    return Report(
        model="m", stream=stream, window=window, start=0, end=DAY, seen=0, state=state, events=9, features=features  # type: ignore[arg-type]
    )  # fmt: skip


def health(reports: list[Report], of: ModelMonitor | None = None, **unregistered: int) -> dict[str, FeatureHealth]:
    found = features_of("m", of or monitor(), {one.window: one for one in reports}, unregistered=unregistered)
    return {one.feature: one for one in found}


def test_a_feature_is_as_the_worst_of_its_windows_has_it_and_says_where() -> None:
    day = report("day", temp=Column("drift", 9, measures={"psi": BEYOND, "unseen": BEYOND}), dest=Column("ok", 9))
    week = report("week", temp=Column("drift", 9, measures={"psi": BEYOND}), dest=Column("stale", 9))
    found = health([day, week])
    assert found["temp"].why == {"psi": ("day", "week"), "unseen": ("day",)}
    assert found["temp"].reasons == "psi (day, week), unseen (day)"
    assert [(name, one.state, one.owner) for name, one in found.items()] == [
        ("temp", "drift", "data"), ("dest", "stale", "ml"), ("tail", "warming", "ml"),
    ]  # fmt: skip


def test_a_long_window_that_is_warming_hides_nothing_of_a_short_one() -> None:
    found = health([report("day", dest=Column("ok", 9)), report("week", state="warming", dest=Column("warming", 9))])
    assert found["dest"].state == "ok"


def test_a_source_that_sends_nothing_of_a_feature_says_nothing_of_it() -> None:
    own = report("day", stream="features", dest=Column("no_traffic", 0), temp=Column("stale", 1))
    found = health([report("week", dest=Column("ok", 9), temp=Column("ok", 9)), own])
    assert (found["dest"].state, found["temp"].state) == ("ok", "stale")


def test_what_nobody_declared_is_not_registered_until_somebody_does() -> None:
    found = health([report("day", temp=Column("ok", 9))], wind=5, temp=4)
    assert (found["wind"].state, found["wind"].last_seen, found["wind"].owner) == ("not_registered", 5, "ml")
    assert found["temp"].state == "ok"
    assert [one.feature for one in unhealthy_of(found.values())] == ["wind"]


def test_what_is_declared_of_a_feature_is_told_with_it() -> None:
    changes = (Change(at=date(2025, 3, 1), what="from the new feed", by="kim"),)
    declared = FeatureMonitor(type="numeric", source="weather", description="outside", version="2", changes=changes)
    of = monitor().model_copy(update={"features": {"temp": declared}})
    told = health([report("day", temp=Column("ok", 9))], of)["temp"].to_json()
    assert told == {
        "model": "m", "feature": "temp", "state": "ok", "owner": "ml", "why": {}, "last_seen": None,
        "description": "outside", "type": "numeric", "source": "weather", "importance": None, "unit": None,
        "computation": None, "version": "2", "changes": [{"at": "2025-03-01", "what": "from the new feed", "by": "kim"}],
    }  # fmt: skip


def test_the_worst_stand_first_then_the_most_important_and_what_passes_by_itself_is_not_listed() -> None:
    weights = {"temp": 0.3, "dewp": 0.1, "dest": 0.2, "wind": None, "new": None, "slow": None}
    of = monitor().model_copy(
        update={"features": {name: FeatureMonitor(type="numeric", importance=at) for name, at in weights.items()}}
    )
    bad, few = Column("drift", 9, measures={"psi": BEYOND}), Column("not_enough_data", 9)
    judged = report(
        "day",
        temp=Column("stale", 9),
        dewp=bad,
        dest=bad,
        wind=Column("ok", 9),
        new=Column("no_reference", 9),
        slow=few,
    )
    assert [(one.feature, one.state) for one in unhealthy_of(health([judged], of, zeta=1, alpha=1).values())] == [
        ("dest", "drift"), ("dewp", "drift"), ("temp", "stale"), ("new", "no_reference"), ("alpha", "not_registered"),
        ("zeta", "not_registered"),
    ]  # fmt: skip
