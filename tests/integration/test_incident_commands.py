"""`driftline incident`, `silence` and `tail` against a worker: what is listed, what is done, and what is refused in words."""

from __future__ import annotations

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from redis import Redis

from schemas import findings
from stream.evaluate.own_topics import ensure_topics
from tests.support.command import Ended, driftline
from tests.support.incident_owner import finding
from tests.support.models import reference
from tests.support.worker import Deployment

MONITORS = """\
schema: 1
defaults: {pane: 1h, windows: {day: 24h}, step: 1h, lateness: 0s}
sources: {weather: {owner: data}}
models:
  m:
    reference: m.json
    features: {temp: {type: numeric, source: weather}}
receivers: {console: {}}
route: {receiver: console, open_wait: 0s}
"""


@pytest.fixture
def site(deployment: Deployment) -> Deployment:
    """A deployment with its configuration in force and no worker yet."""
    (deployment.folder / "m.json").write_bytes(reference().to_json())
    (deployment.folder / "monitors.yaml").write_text(MONITORS)
    assert driftline("apply", str(deployment.folder / "monitors.yaml"), env=deployment.variables).code == 0
    ensure_topics(deployment.settings)
    return deployment


def run(site: Deployment, *arguments: str) -> Ended:
    return driftline(*arguments, env={**site.variables, "USER": "ann", "LOGNAME": "ann"})


def send(site: Deployment, *messages: findings.Finding) -> None:
    producer = Producer({"bootstrap.servers": site.kafka})
    for message in messages:
        producer.produce(site.names.topic("findings"), findings.encode(message), partition=0)
    assert producer.flush(10) == 0


def boxless(said: str) -> str:
    return " ".join(said.replace("│", " ").split())


def test_without_a_worker_an_action_is_kept_and_said_to_wait(site: Deployment) -> None:
    assert run(site, "incident", "ls").out == "no open incidents\n"
    assert run(site, "silence", "ls").out == "no silences\n"
    unknown = run(site, "incident", "ack", "inc-1")
    assert (unknown.code, unknown.err) == (
        1,
        "there is no incident 'inc-1'; `driftline incident ls --all` lists them\n",
    )

    assert run(site, "incident", "explain", "inc-1").err == unknown.err
    waiting = run(site, "silence", "add", "model=m", "--for", "2h")
    assert waiting.code == 1
    assert "no worker took it within 5 s; it is done as soon as one runs" in waiting.err


def test_an_answer_to_an_older_topics_action_at_the_same_place_is_not_taken_for_this_ones(site: Deployment) -> None:
    admin, topic = AdminClient({"bootstrap.servers": site.kafka}), site.names.topic("actions")
    worker = site.start_worker()
    with Redis.from_url(site.redis_url) as redis:
        site.wait_until(lambda: bool(redis.hexists(site.names.incidents("owner"), "next:actions")))
    first = run(site, "silence", "add", "model=m", "--for", "2h")
    assert (first.code, first.err) == (0, "")
    worker.stop()
    for deleted in admin.delete_topics([topic]).values():
        deleted.result()
    site.wait_until(lambda: topic not in admin.list_topics(timeout=10).topics)
    ensure_topics(site.settings)

    again = run(site, "silence", "add", "model=m", "--for", "3h")
    assert (again.code, again.out) == (1, "")
    assert f"stored as {topic}:0:0, and no worker took it within 5 s" in again.err


def test_with_no_configuration_in_force_an_action_is_said_to_wait_for_one(deployment: Deployment) -> None:
    ensure_topics(deployment.settings)
    untried = run(deployment, "route", "test", "severity=P1")
    assert (untried.code, untried.out) == (1, "")
    assert untried.err == (
        "no configuration is in force: run `driftline apply FILE`, or name a monitors file (--monitors)\n"
    )
    waiting = run(deployment, "silence", "add", "model=m", "--for", "2h")
    assert waiting.code == 1
    assert waiting.err == (
        f"stored as {deployment.names.topic('actions')}:0:0, and no configuration is in force, without which no worker decides; "
        "it is done as soon as there is one: run `driftline apply FILE`\n"
    )


@pytest.mark.parametrize(
    ("matchers", "length", "said"),
    [
        (("severity=P1",), "2h", "severity is inferred and may change"),
        (("modle=m",), "2h", "no finding has the label 'modle'"),
        (('model=~".*"',), "2h", "a silence needs a matcher that not everything matches"),
        (("model",), "2h", "is no matcher"),
        (("model=m",), "soon", "must be a duration such as 500ms, 30s, 1h or 45d"),
        (("model=m",), "0s", "a silence must end after it starts"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused_before_anything_is_sent(
    site: Deployment, matchers: tuple[str, ...], length: str, said: str
) -> None:
    ended = run(site, "silence", "add", *matchers, "--for", length)

    assert ended.code == 2
    assert said in boxless(ended.err)


def test_the_on_calls_work(site: Deployment) -> None:
    site.start_worker()
    send(site, finding())
    site.wait_until(lambda: "inc-" in run(site, "incident", "ls").out)
    [listed] = run(site, "incident", "ls", "--json").json["incidents"]
    beginning = listed["id"][:8]

    shown = run(site, "incident", "show", beginning)
    assert shown.out.splitlines()[0] == f"{listed['id']}: {listed['title']}"
    assert "feature:m/temp" in shown.out
    explained = run(site, "incident", "explain", beginning, "--json").json
    assert [(one["subject"], one["joined_by"]) for one in explained["why"]] == [("feature:m/temp", "first")]
    assert (explained["forgotten"], [one["what"] for one in explained["held"]]) == (False, ["late"])
    tried = run(site, "route", "test", "severity=P1", "feature=temp", "rule=ks", "--json").json
    assert (tried["tried_on"], tried["incident"]["id"]) == ("generation 1", listed["id"])
    assert (tried["incident"]["joined_by"], tried["told"]) == ("subject", [])

    assert run(site, "incident", "ack", beginning).out == f"incident {listed['id']} is acknowledged\n"
    added = run(site, "silence", "add", 'feature=~"temp|dewp"', "--for", "2h", "--comment", "known", "--by", "bob")
    assert added.code == 0, added
    [silence] = run(site, "silence", "ls", "--json").json["silences"]
    assert (silence["matchers"], silence["by"], silence["comment"]) == (['feature=~"temp|dewp"'], "bob", "known")
    assert silence["ends"] - silence["starts"] == 7_200_000
    assert run(site, "silence", "expire", silence["id"][:5]).out == f"silence {silence['id']} has ended\n"
    assert run(site, "silence", "ls").out == "no silences\n"

    slow = {"key": "latency|model:m||", "subject": "model:m", "kind": "latency", "rule": "latency", "feature": None}
    send(site, msgspec.structs.replace(finding(onset_hours=-500), **slow, source=None, window=None))
    site.wait_until(lambda: len(run(site, "incident", "ls", "--json").json["incidents"]) == 2)
    [other] = [
        one["id"] for one in run(site, "incident", "ls", "--json").json["incidents"] if one["id"] != listed["id"]
    ]
    merged = run(site, "incident", "merge", other, "--into", beginning, "--comment", "one deploy")
    assert (merged.code, merged.out) == (0, f"incident {other} is merged into {listed['id']}\n")
    again = run(site, "incident", "merge", other, "--into", beginning)
    assert (again.code, again.err) == (1, f"{other} has ended: merged; nothing was changed\n")
    wrong = run(site, "incident", "split", beginning, "dewp")
    assert (wrong.code, wrong.out) == (2, "")
    assert f"'dewp' is no finding of {listed['id']}; it has feature:m/temp, model:m" in boxless(wrong.err)
    parted = run(site, "incident", "split", beginning, "model:m", "--comment", "two after all")
    assert (parted.code, parted.out) == (0, f"1 finding is an incident of its own, split off {listed['id']}\n")
    said = [line["text"] for line in run(site, "incident", "show", beginning, "--json").json["timeline"]]
    assert f"{other} was merged into this by ann: one deploy" in said
    assert [text.endswith("by ann: two after all") for text in said].count(True) == 1

    assert run(site, "incident", "resolve", beginning).out == f"incident {listed['id']} is resolved\n"
    late = run(site, "incident", "ack", beginning)
    assert (late.code, late.err) == (1, f"{listed['id']} has ended: operator; nothing was changed\n")
    found = run(site, "incident", "show", beginning, "--json").json
    assert (found["incident"]["acknowledged_by"], found["incident"]["end_reason"]) == ("ann", "operator")
    assert ["resolved by ann" in line["text"] for line in found["timeline"]].count(True) == 1

    tailed = run(site, "tail", "incidents", "findings", "--once").out
    assert f"incident   {listed['id']} ended P1" in tailed
    assert "finding    firing P1 feature:m/temp psi 0.4" in tailed
