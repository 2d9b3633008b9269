"""``driftline apply`` and Kafka's topic ``config``: written with each generation, and no condition of one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.monitors import load_monitors
from stream.local.broker import create_topic
from stream.state import applying
from stream.state.config_topic import ConfigTopic
from tests.support.models import numeric, reference
from tests.support.site import MONITORS, Site


def topic_of(site: Site) -> ConfigTopic:
    return ConfigTopic({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"]}, site.names.topic("config"))


def test_a_generation_is_on_the_topic_and_an_emptied_redis_goes_on_from_its_number(site: Site) -> None:
    create_topic(site.env["DRIFTLINE_KAFKA"], site.names.topic("config"))
    assert [site.apply().code, site.apply().code] == [0, 0]
    kept = topic_of(site).read()
    assert kept is not None
    assert (kept.numbers, kept.digests) == (frozenset({2}), frozenset({reference().hash}))
    with site.redis as redis:
        redis.delete(*redis.keys(site.names.key("*")))

    ended = site.apply(temp=numeric(0.0, 5.0, 20.0))
    assert ended.out.splitlines()[0] == "generation 3 is in force: 1 model"
    kept = topic_of(site).read()
    assert kept is not None
    assert (kept.numbers, kept.digests) == (frozenset({3}), frozenset({reference(temp=numeric(0.0, 5.0, 20.0)).hash}))


def test_before_the_first_worker_there_is_no_topic_and_nothing_is_said(site: Site) -> None:
    ended = site.apply()
    assert (ended.code, topic_of(site).read()) == (0, None)
    assert "Kafka" not in ended.out


def test_where_kafka_does_not_answer_it_is_in_force_and_said_who_sees_to_the_topic(site: Site) -> None:
    ended = dataclasses.replace(site, env={**site.env, "DRIFTLINE_KAFKA": "127.0.0.1:1"}).apply()
    assert (ended.code, ended.out.splitlines()[0]) == (0, "generation 1 is in force: 1 model")
    said = [line for line in ended.out.splitlines() if "Kafka does not have this generation yet" in line]
    assert len(said) == 1
    assert said[0].endswith("the next worker that reaches Kafka writes it to the topic config")


def test_a_reference_that_no_record_holds_is_refused_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "REFERENCE_BYTES", 100)
    (tmp_path / "m.json").write_bytes(reference().to_json())
    (tmp_path / "monitors.yaml").write_text(MONITORS)
    with pytest.raises(ConfigError) as refused:
        applying.load_references(load_monitors(tmp_path / "monitors.yaml"))
    assert str(refused.value).startswith(f"{tmp_path / 'm.json'}: models.m.reference: has ")
    assert str(refused.value).endswith(
        " bytes compressed, allowed: 100; build it of fewer features, or split the model"
    )
