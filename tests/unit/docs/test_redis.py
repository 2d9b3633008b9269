"""The page on Redis lists every key that the program can name, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.names import Names
from stream.evaluate.closing import unit
from stream.evaluate.panes import clocks
from stream.evaluate.skew import unit as skew

PAGE = (Path(__file__).parents[3] / "docs" / "redis.md").read_text()
MODEL, STREAM = "<model>", "<stream>"
INCIDENTS = (
    ("documents",), ("kept",), ("timeline", "<id>"), ("silences",), ("ended",), ("owner",), ("records",), ("marks",),
    ("outbox",), ("orders",), ("answer", "<nonce>"), ("budget", "<address>"),
)  # fmt: skip


def test_every_key_is_listed_once() -> None:
    names = Names()
    layout = {"model": MODEL, "layout": "<layout>"}
    keys = [
        names.offset("predictions", 3),
        names.panes("predictions", 3, **layout, block=0).replace(":0", ":<block>"),
        names.revised("predictions", 3),
        names.config,
        names.reference("<sha256>"),
        names.layouts(MODEL),
        names.partitions("predictions"),
        names.retried,
        names.replaying,
        names.model_state(MODEL),
        names.report(MODEL, "<window>"),
        names.history(MODEL, "<window>"),
        names.unregistered(MODEL),
        names.updated(MODEL),
        names.totals(MODEL),
        names.evaluation(MODEL, STREAM),
        names.closed(MODEL, STREAM, layout="<layout>", tier="<tier>", block=0).replace(":0", ":<block>"),
        names.outbox(MODEL),
        names.release(MODEL),
        names.decisions(MODEL),
        names.gpus,
        *(names.of_gpu("<host>/<uuid>", part) for part in ("sample", "history")),
        names.lease(7).replace(":7", ":<shard>"),
        names.lease_tokens,
        names.instance("<id>"),
        names.workers,
        *(names.incidents(*parts) for parts in INCIDENTS),
    ]

    assert re.findall(r"^\| `(driftline:[^`]+)` \|", PAGE, re.MULTILINE) == keys


def test_incident_keys_are_those_of_the_store() -> None:
    store = (Path(__file__).parents[3] / "stream" / "incidents" / "store.py").read_text()
    stored = re.findall(r"^``([a-z]+)(?::<\w+>)?`` ", store, re.MULTILINE)

    assert sorted([*stored, "budget"]) == sorted(parts[0] for parts in INCIDENTS)


def test_fields_that_are_read_are_explained() -> None:
    explained = {
        name for cell in re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE) for name in re.findall(r"`([^`]+)`", cell)
    }

    assert set(clocks.FIELDS) - {"incarnation"} <= explained
    assert {*unit.FIELDS, *skew.FIELDS} <= explained
