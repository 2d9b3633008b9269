"""The likely cause: the feed when its features go together, the feature alone, unknown when neither explains it."""

from __future__ import annotations

from dataclasses import replace

from alerting.cause import causes_of, likely
from alerting.deliveries import Call
from alerting.document import message, view
from alerting.draft import Draft
from alerting.messages import pagerduty as pagerduty_message
from alerting.messages import slack as slack_message
from alerting.messages.place import Place
from alerting.titles import title_of
from schemas.incidents import Cause
from tests.unit.alerting.world import HOUR, MINUTE, MODELS, T0, WEATHER, World


def causes(world: World) -> dict[str, float]:
    """Probability by node, as weighed now."""
    draft = Draft(world.state, world.now)
    return {cause.node: cause.probability for cause in causes_of(world.state.incidents[world.incident()], draft)}


def test_features_of_one_feed_together_name_the_feed_and_the_nearer_source_first() -> None:
    world = World()
    for model in MODELS:
        for feature in WEATHER:
            world.fire(f"{model}/{feature}", onset=(T0 - HOUR, T0))
    found = causes(world)
    assert list(found)[:2] == ["source:weather", "source:noaa"]
    assert found["source:weather"] + found["source:noaa"] > 0.99
    assert found["source:weather"] > 1.2 * found["source:noaa"]
    assert view(world.state, world.incident()).title == "a: 18 features drifted, cause likely weather (3 models)"


def test_one_feature_alone_names_itself() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0))
    world.wait(HOUR)
    assert likely(world.state.incidents[world.incident()]) == "feature:a/w0"


def test_silence_of_the_others_lowers_a_feed_only_as_their_rules_would_have_spoken() -> None:
    world = World()
    for number in range(3):
        world.fire(f"a/w{number}", onset=(T0 - HOUR, T0))
    at_once = causes(world)["source:weather"]
    world.wait(10 * HOUR)
    later = causes(world)
    assert later["source:weather"] < at_once
    assert next(iter(later)) == "unknown"


def test_a_finding_that_says_it_plainly_raises_its_own_node() -> None:
    drifted, missing = World(), World()
    drifted.fire("a/w0", onset=(T0 - HOUR, T0))
    missing.fire("a/w0", onset=(T0 - HOUR, T0), kind="missing")
    assert causes(missing)["feature:a/w0"] > causes(drifted)["feature:a/w0"]


def test_probabilities_add_up_and_ties_are_printed_as_ties() -> None:
    world = World()
    world.fire("a", severity="P1", onset=(T0 - HOUR, T0))
    incident = world.state.incidents[world.incident()]
    assert sum(cause.probability for cause in incident.causes) <= 1.001
    ties = (Cause("feature:a/w0", 0.3), Cause("feature:a/w1", 0.3), Cause("unknown", 0.1))
    assert likely(replace(incident, causes=ties)) == "feature:a/w0 or feature:a/w1"


def score_drift() -> tuple[World, Call]:
    """Only the score has drifted."""
    world = World()
    world.fire("b", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    [call] = world.todo()
    return world, call


def test_where_no_cause_stands_out_none_is_named() -> None:
    """A drifted score may come from any feature: 31 % for the first of fourteen is no cause."""
    world, call = score_drift()
    incident = world.state.incidents[world.incident()]
    assert [cause.probability for cause in incident.causes] == [0.308, 0.064, 0.064, 0.064, 0.064]
    shown = message(world.state, world.incident(), call, now=world.now)
    assert shown.title == "b predictions drifted, cause unclear"
    assert (shown.cause_clear, shown.cause, shown.probability) == (False, "model:b 31 %, others at most 6 % each", None)
    event = pagerduty_message.event(call, shown, place=Place())["payload"]
    assert "cause unclear: model:b 31 %, others at most 6 % each" in event["summary"]
    assert "group" not in event
    assert event["custom_details"]["cause"] == "unclear: model:b 31 %, others at most 6 % each"
    blocks = str(slack_message.root(shown, place=Place()).blocks)
    assert "*Cause unclear* model:b 31 %, others at most 6 % each" in blocks
    assert "Likely cause" not in blocks


def test_a_title_names_ties_as_ties_and_nothing_behind_unknown() -> None:
    world, _ = score_drift()
    incident = world.state.incidents[world.incident()]
    tied = (Cause("source:weather", 0.4), Cause("source:tickets", 0.4), Cause("model:b", 0.15), Cause("unknown", 0.05))
    assert title_of(replace(incident, causes=tied)) == "b predictions drifted, cause unclear: weather or tickets"
    behind = (Cause("unknown", 0.45), Cause("source:weather", 0.4), Cause("source:tickets", 0.15))
    assert title_of(replace(incident, causes=behind)) == "b predictions drifted, cause unclear"
    sure = (Cause("source:weather", 0.5), Cause("source:noaa", 0.49))
    assert title_of(replace(incident, causes=sure)) == "b predictions drifted, cause likely weather"


def test_without_a_cause_the_owner_is_the_worst_findings() -> None:
    world = World()
    world.fire("b", severity="P1", onset=(T0 - HOUR, T0), owner="ann")
    world.wait(MINUTE)
    [call] = world.todo()
    tied = (Cause("source:weather", 0.4), Cause("source:tickets", 0.4))
    incidents = {name: replace(one, causes=tied) for name, one in world.state.incidents.items()}
    state = replace(world.state, incidents=incidents)
    assert message(state, world.incident(), call, now=world.now).owner == "ann"


def test_a_message_carries_what_a_receiver_shows_and_no_evidence_beyond_statistics() -> None:
    world = World()
    for number in range(4):
        world.fire(
            f"a/w{number}", T0, severity="P1", onset=(T0 - HOUR, T0 - MINUTE), evidence={"raw": 1.5}, owner="ann"
        )
    world.wait(MINUTE)
    [call] = world.todo()
    shown = message(world.state, world.incident(), call, now=world.now)
    assert (shown.reason, shown.why, shown.state, shown.severity) == ("first", "opened", "firing", "P1")
    assert (shown.since_lo, shown.since_hi, shown.models, shown.owner) == (T0 - HOUR, T0 - MINUTE, ("a",), "data")
    assert (shown.members[0].value, shown.members[0].threshold, shown.members[0].n) == (0.4, 0.25, 1_000)
    assert shown.path == f"/incidents/{world.incident()}"
    assert "raw" not in repr(shown)


def test_a_title_of_long_names_is_cut_to_80_characters() -> None:
    world = World()
    world.fire("a/" + "x" * 200)
    title = view(world.state, world.incident()).title
    assert (len(title), title[-1]) == (80, "…")
