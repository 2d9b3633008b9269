"""``outbox ls``: what waits for Kafka and for receivers, and for how long."""

from __future__ import annotations

import time
from typing import Any, cast

from schemas.incidents import DeliveryView, IncidentView, encode
from tests.support.site import Site


def incident(name: str, *deliveries: DeliveryView, updated: int) -> bytes:
    return encode(
        IncidentView(
            id=name, revision=1, state="open", severity="P1", worst="P1", title="t", opened=0, updated=updated,
            since_lo=0, since_hi=0, deliveries=deliveries,
        )
    )  # fmt: skip


def delivery(receiver: str, *, confirmed: bool = False, failed: str | None = None) -> DeliveryView:
    return DeliveryView(
        receiver=receiver, address=f"{receiver}:1", kind="slack", wants="open P1", believes="closed",
        confirmed=confirmed, failed=failed,
    )  # fmt: skip


def test_nothing_waits(site: Site) -> None:
    assert site.run("outbox", "ls").out == "nothing waits\n"
    assert site.run("outbox", "ls", "--json").json == {"outboxes": [], "deliveries": [], "waiting": 0}


def test_what_waits_for_kafka_and_for_receivers(site: Site) -> None:
    site.apply()
    now = int(time.time() * 1000)
    entry: dict[Any, Any] = {"topic": "findings", "key": "m", "value": "{}"}
    for key, ago_s in (
        (site.names.outbox("m"), 90),
        (site.names.incidents("outbox"), 7_200),
        (site.names.outbox("gpus"), 1),
    ):
        site.redis.xadd(key, entry, id=f"{now - ago_s * 1000}-0")
    site.redis.xadd(site.names.outbox("m"), entry)
    documents: dict[Any, Any] = {
        "inc-1": incident("inc-1", delivery("oncall"), delivery("ml", confirmed=True), updated=now - 60_000),
        "inc-2": incident(
            "inc-2", delivery("oncall"), delivery("old", failed="no such channel"), updated=now - 600_000
        ),
    }
    site.redis.hset(site.names.incidents("documents"), mapping=documents)

    found = site.run("outbox", "ls", "--json").json
    assert [(one["of"], one["waiting"], round(one["oldest_s"], -1)) for one in found["outboxes"]] == [
        ("incidents", 1, 7_200), ("m", 2, 90), ("gpus", 1, 0),
    ]  # fmt: skip
    told = [(one["receiver"], one["waiting"], one["failed"], one["why"]) for one in found["deliveries"]]
    assert told == [("oncall", 2, 0, None), ("old", 0, 1, "no such channel")]
    assert round(cast(float, found["deliveries"][0]["oldest_s"]), -2) == 600
    assert found["waiting"] == 6
    lines = site.run("outbox", "ls").out.splitlines()
    assert [line.split()[0] for line in lines if line] == ["for", "incidents", "m", "gpus", "receiver", "oncall", "old"]
    assert lines[-2].split()[:5] == ["oncall", "oncall:1", "2", "10.0", "min"]


def test_ages_of_a_replay_are_by_its_own_clock(site: Site) -> None:
    site.apply()
    site.redis.hset(site.names.incidents("owner"), "clock", "event")
    site.redis.hset(site.names.incidents("records"), "meta", b'{"now":1357000060000,"schema":1}')
    document = incident("inc-1", delivery("oncall"), updated=1_357_000_000_000)
    site.redis.hset(site.names.incidents("documents"), "inc-1", document)

    assert [one["oldest_s"] for one in site.run("outbox", "ls", "--json").json["deliveries"]] == [60.0]
