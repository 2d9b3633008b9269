"""Messages say which runbook the worst finding has: as a link where it is a URL, as a path where it is none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alerting.document import message
from alerting.messages import pagerduty, slack
from alerting.messages.place import Place
from schemas.settings import Settings
from tests.support.incident_messages import DEWP, FIRING, RESOLVED, TEMP, call
from tests.unit.alerting.world import T0, World, finding, policy

SHOWN = replace(FIRING, members=(replace(TEMP, kind="missing"), replace(DEWP, kind="drift")))
WIKI = "https://wiki.example/ml runbooks/"


def written(shown: Any) -> str:
    """A Slack message's blocks as they are sent."""
    return json.dumps(shown.blocks, ensure_ascii=False)


def test_by_default_the_path_in_the_repository_is_said() -> None:
    place = Place(runbook_url=Settings().runbook_url)
    event = pagerduty.event(call(), SHOWN, place=place)
    assert event["payload"]["custom_details"]["runbook"] == "docs/runbooks/missing.md"
    assert "links" not in event
    assert "*Runbook* `docs/runbooks/missing.md`" in written(slack.root(SHOWN, place=place))


def test_a_url_is_a_link_beside_the_consoles() -> None:
    place = Place(console_url="http://console.example", runbook_url="https://wiki.example/runbooks")
    event = pagerduty.event(call(), SHOWN, place=place)
    assert event["links"] == [
        {"href": "http://console.example/incidents/INC-7", "text": "Incident in the console"},
        {"href": "https://wiki.example/runbooks/missing.md", "text": "Runbook"},
    ]
    assert event["client_url"] == event["links"][0]["href"]
    assert "*Runbook* <https://wiki.example/runbooks/missing.md|missing.md>" in written(slack.root(SHOWN, place=place))


@pytest.mark.parametrize("shown", [FIRING, SHOWN])
def test_without_a_place_or_a_kind_nothing_is_said(shown: Any) -> None:
    place = Place(runbook_url="" if shown is SHOWN else WIKI)
    event = pagerduty.event(call(), shown, place=place)
    assert ("links" in event, "runbook" in event["payload"]["custom_details"]) == (False, False)
    assert "Runbook" not in written(slack.root(shown, place=place))


def test_what_is_over_needs_no_runbook_in_slack() -> None:
    over = replace(RESOLVED, members=SHOWN.members)
    assert "Runbook" not in written(slack.root(over, place=Place(runbook_url=WIKI)))


def test_the_longest_place_that_is_allowed_fits() -> None:
    place = Place(runbook_url="https://wiki.example/" + "<&" * 239)
    post = slack.root(SHOWN, place=place)
    assert [one for one in post.blocks if len(one.get("text", {}).get("text", "")) > 3000] == []
    assert "more" not in written(post)
    assert len(pagerduty.event(call(), SHOWN, place=place)["links"][0]["href"]) < 512


def test_the_worst_finding_says_which_kind_it_is() -> None:
    world = World(policy())
    world.give(finding("a/w0", T0, severity="P0", kind="stale"), T0)
    shown = message(world.state, world.incident(), world.todo()[0], now=world.now)
    assert [one.kind for one in shown.members] == ["stale"]
