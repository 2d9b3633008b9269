"""A release that was rolled back, as an incident: which version it was and why, and nothing of a name is obeyed."""

from __future__ import annotations

import json
import re

import pytest

from alerting.deliveries import Message
from alerting.document import message
from alerting.messages import pagerduty, slack
from alerting.messages.incident import headline, measured
from alerting.messages.place import Place
from tests.support.incident_messages import call
from tests.unit.alerting.world import MINUTE, T0, World, finding

HOSTILE = (
    "<!channel> <@U1> <https://evil.example|click>", "two\nlines\r\nand\u2028more\x1b[31m", "\u202egnol" + "x" * 10_000,
    "*bold* _it_ `tick` [red]", "",
)  # fmt: skip


def told(version: str, why: str) -> Message:
    """What a receiver is told of a version that was rolled back."""
    world = World()
    evidence: dict[str, float | int | str | None] = {
        "release": "rel-1", "champion": "3", "challenger": version, "why": why, "cause": f"version {version}: {why}",
    }  # fmt: skip
    found = finding("a", T0, kind="release", rule="release", value=None, threshold=None, n=None, evidence=evidence)
    world.give(found, T0)
    world.wait(MINUTE)
    return message(world.state, world.incident(), world.todo()[0], now=world.now)


def test_it_says_which_version_was_rolled_back_and_why() -> None:
    made = told("4", "errors: 0.2 of 1000 beside a limit of 0.05")
    assert headline(made) == "P2 FIRING · a rolled back"
    assert measured(made.members[0]) == "release; version 4: errors: 0.2 of 1000 beside a limit of 0.05"
    details = pagerduty.details(made, place=Place())
    assert (details["1_rule"], details["1_looks"]) == (
        "release",
        "version 4: errors: 0.2 of 1000 beside a limit of 0.05",
    )


@pytest.mark.parametrize("version", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_the_version_is_called(version: str) -> None:
    made = told(version, f"the monitors file names challenger {version}")
    post = slack.root(made, place=Place())
    said = json.dumps([post.text, post.blocks], ensure_ascii=False)
    assert not re.search("<!channel>|<@U1>|<https://evil|\x1b|\u202e|\u2028|\r", said)
    line = next(text for text in map(str, post.blocks) if "release;" in text)
    assert "version" in line
    assert len(line) < 1_000
    event = json.dumps(pagerduty.event(call(), made, place=Place()), ensure_ascii=False)
    assert not re.search(r"\\u001b|\\n|\\r|\u202e|\u2028", event)
    assert len(event) < 4_000
