"""Names of topics, groups and keys: what operators type, so the exact text is the contract."""

import pytest

from schemas.names import Names


def test_without_an_environment_names_have_no_prefix() -> None:
    names = Names()
    assert names.topic("predictions") == "predictions"
    assert names.group == "driftline"
    assert names.config == "driftline:config"
    assert names.offset("predictions", 3) == "driftline:{predictions:3}:offset"
    assert names.partitions("labels") == "driftline:topic:labels:partitions"


def test_an_environment_prefixes_every_name() -> None:
    names = Names("staging")
    assert names.topic("labels") == "staging.labels"
    assert names.group == "driftline-staging"
    assert names.reference("ab12") == "driftline:staging:reference:ab12"
    assert names.layouts("flight-delay") == "driftline:staging:model:flight-delay:layouts"


def test_panes_share_the_slot_of_their_partition_and_name_the_layout_by_16_digits() -> None:
    key = Names().panes("predictions", 3, model="flight-delay", layout="0123456789abcdef" * 4, block=1357034400000)
    assert key == "driftline:{predictions:3}:panes:flight-delay:0123456789abcdef:1357034400000"


@pytest.mark.parametrize("environment", ["", "staging"])
def test_a_topic_leads_back_to_its_stream(environment: str) -> None:
    names = Names(environment)
    assert names.stream_of(names.topic("features")) == "features"


def test_another_environments_topic_is_not_ours() -> None:
    with pytest.raises(ValueError, match=r"'predictions' is none of staging\.predictions, staging\.labels"):
        Names("staging").stream_of("predictions")
