"""`driftline backtest`, its parts: history that is put aside, receivers that record, and what is counted of incidents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import Unavailable
from schemas.findings import Severity
from schemas.incidents import DeliveryView, IncidentState, IncidentView
from schemas.monitored import (
    AlertmanagerReceiver,
    ModelMonitor,
    Monitors,
    PagerDutyReceiver,
    ReceiverMonitor,
    SecretPlace,
    ServingMonitor,
    SlackReceiver,
)
from stream.command import history
from stream.command.backtest import _side, _until
from stream.command.history import History, of_files
from stream.local.rerun import Came, only, recording
from tests.support.command import driftline
from tests.support.models import ample

HOUR, DAY = 3_600_000, 86_400_000
START = 1_760_000_400_000
SECRET = SecretPlace(file="/run/secrets/x")


def event(at: int, model: str = "m") -> bytes:
    return json.dumps({"model": model, "timestamp": at}).encode()


def model(**said: Any) -> ModelMonitor:
    return ModelMonitor(
        pane_ms=HOUR,
        windows={"day": DAY},
        step_ms=DAY,
        lateness_ms=0,
        revise_within_ms=DAY,
        reference=Path("m.json"),
        **said,
    )


def incident(name: str, severity: Severity, state: IncidentState, *rings: tuple[str, str, int]) -> IncidentView:
    told = tuple(
        DeliveryView(
            receiver=who, address=f"{kind}:{who}", kind=kind, wants="open", believes="open",
            dedup_key=f"{name}:{times}" if times else None,
        )
        for who, kind, times in rings
    )  # fmt: skip
    return IncidentView(
        id=name, revision=1, state=state, severity=severity, worst=severity, title=name, opened=START, updated=START,
        since_lo=START, since_hi=START, deliveries=told, more_members=2,
    )  # fmt: skip


def test_pages_are_openings_at_pagerduty_and_counted_by_the_day_of_event_time() -> None:
    found = _side(
        "new.yaml",
        [
            incident("inc-a", "P0", "ended", ("oncall", "pagerduty", 3), ("oncall", "slack", 1)),
            incident("inc-b", "P1", "open", ("team", "slack", 2)),
            incident("inc-c", "P2", "pending", ("oncall", "pagerduty", 0)),
        ],
        span_ms=2 * DAY,
    )

    assert (found["incidents"], found["findings"], found["untold"]) == (3, 6, 1)
    assert found["by_severity"] == {"P0": 1, "P1": 1, "P2": 1}
    assert (found["pages"], found["pages_per_day"]) == (3, 1.5)
    assert found["told"] == [
        {"receiver": "oncall", "kind": "pagerduty", "times": 3},
        {"receiver": "oncall", "kind": "slack", "times": 1},
        {"receiver": "team", "kind": "slack", "times": 2},
    ]
    assert [(one["id"], one["pages"], one["untold"]) for one in found["list"]] == [
        ("inc-a", 3, False),
        ("inc-b", 0, False),
        ("inc-c", 0, True),
    ]


def test_partitions_are_laid_together_by_their_clocks_so_that_nothing_gets_late() -> None:
    history = History()
    with closing(history):
        for partition, offset in ((0, 0), (4, HOUR), (0, 2 * HOUR), (4, 3 * HOUR), (4, HOUR), (0, 5 * HOUR)):
            history.add(Came("predictions", partition, event(START + offset)))
        history.add(Came("labels", 1, b"no JSON"))
        history.add(Came("labels", 1, None))

        came = list(history.came())
        assert [(one.stream, one.partition) for one in came[:2]] == [("labels", 1)] * 2, (
            "what has no time yet comes first"
        )
        hours = [(json.loads(one.value or b"")["timestamp"] - START) // HOUR for one in came[2:]]
        assert hours == [0, 1, 2, 3, 1, 5], "each partition keeps its order, and no clock passes another's"
        assert list(history.came()) == came, "it can be read again"
        assert (history.records, history.first_ms, history.last_ms) == (8, START, START + 5 * HOUR)
        assert history.models == {"predictions": {"m"}, "labels": set()}


def test_a_time_that_is_of_the_future_for_kafka_bounds_nothing() -> None:
    history = History()
    with closing(history):
        history.add(Came("predictions", 0, event(START), at_ms=START))
        history.add(Came("predictions", 0, event(START + 400 * DAY), at_ms=START + HOUR))
        assert (history.first_ms, history.last_ms) == (START, START)


def test_of_a_file_a_stretch_by_the_events_times(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(event(START + hour * HOUR) for hour in range(5)))
    with closing(
        of_files([("predictions", file)], first_ms=START + HOUR, last_ms=START + 3 * HOUR, told=_nobody)
    ) as found:
        assert (found.records, found.first_ms, found.last_ms) == (2, START + HOUR, START + 2 * HOUR)


def _nobody(what: str, number: int, total: int | None) -> None:
    pass


def test_receivers_record_each_at_an_address_of_its_own_and_no_secret_is_read() -> None:
    receivers = {
        "console": ReceiverMonitor(),
        "one": ReceiverMonitor(pagerduty=PagerDutyReceiver(routing_key=SECRET)),
        "two": ReceiverMonitor(
            pagerduty=PagerDutyReceiver(routing_key=SECRET), slack=SlackReceiver(token=SECRET, channel="#ml")
        ),
        "three": ReceiverMonitor(alertmanager=AlertmanagerReceiver(url="https://am.example.org")),
    }
    found, keys = recording(Monitors(file=Path("m"), sha256="", models={}, receivers=receivers))

    assert found.receivers["console"] == ReceiverMonitor()
    pagers = [found.receivers[name].pagerduty for name in ("one", "two")]
    assert len({keys[pager.routing_key.env or ""] for pager in pagers if pager is not None}) == 2
    assert (found.receivers["two"].slack or SlackReceiver(token=SECRET, channel="")).channel == "#ml"
    assert (found.receivers["three"].alertmanager, found.receivers["three"].slack is not None) == (None, True)
    assert "/run/secrets/x" not in found.model_dump_json()


def test_what_nothing_comes_of_is_not_waited_for() -> None:
    asked = ServingMonitor(stream="serving", error_rate=0.05, gpus=("node-7",))
    monitors = Monitors(file=Path("m"), sha256="", models={name: model(serving=asked) for name in ("a", "b", "c")})
    found = only(monitors, ["a", "b"], serving=["a"])

    assert list(found.models) == ["a", "b"]
    assert found.models["a"].serving == asked.model_copy(update={"gpus": ()})
    assert found.models["b"].serving == ServingMonitor()


def test_streams_are_closed_at_the_end_of_the_longest_pane_and_never_ahead_of_the_clock() -> None:
    monitors = Monitors(file=Path("m"), sha256="", models={"a": model(), "b": model()})
    assert _until(monitors, START) == START + HOUR
    assert _until(monitors, 4_000_000_000_000) < 4_000_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "m.json").write_bytes(ample().to_json())
    file = tmp_path / "monitors.yaml"
    file.write_text(
        "schema: 1\ndefaults: {pane: 1h, windows: {day: 24h}, step: 24h}\nmodels: {m: {reference: m.json}}\n"
    )
    return file


@pytest.mark.parametrize(
    ("events", "arguments", "words"),
    [
        (event(START, "n"), (), "no prediction of them is in it; it has models n"),
        (b'{"model": "m"}', (), "no event with a time is in it; see --from and --to"),
        (event(START), ("--from", "2020-01-02", "--to", "2020-01-01"), "--to 2020-01-01T00:00:00Z is not after --from"),
        (event(START), ("--from", "soon"), "'soon' must be"),
        (event(START), ("--topic", "labels"), "--topic is of Kafka: of a file say TOPIC=FILE"),
        (b"[", (), "is not JSON"),
    ],
)
def test_wrong_use_is_told_before_anything_is_started(
    file: Path, events: bytes, arguments: tuple[str, ...], words: str
) -> None:
    (file.parent / "events.jsonl").write_bytes(events)
    ended = driftline("backtest", str(file.parent / "events.jsonl"), "--monitors", str(file), *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert words in " ".join(ended.err.replace("│", " ").split())


def test_a_present_file_that_knows_none_of_it_told_nothing_and_a_limit_of_pages_is_an_exit_code(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [incident("inc-a", "P0", "ended", ("oncall", "pagerduty", 2))]
    monkeypatch.setattr("stream.local.rerun.judged_by", lambda *given, **more: told)
    (file.parent / "events.jsonl").write_bytes(event(START) + b"\n" + event(START + 23 * HOUR))
    present = file.parent / "present.yaml"
    present.write_text(file.read_text().replace("{m: ", "{n: "))
    asked = ["backtest", str(file.parent / "events.jsonl"), "--monitors", str(file), "--against", str(present)]

    found = driftline(*asked, "--json", "--at-most", "2").json
    assert (found["new"]["pages_per_day"], found["now"]["incidents"]) == (2.0, 0)
    assert (found["new"]["monitors"], found["now"]["monitors"]) == (str(file), str(present))
    over = driftline(*asked, "--at-most", "1.9")
    assert (over.code, over.err) == (1, "it would page 2 times a day, allowed: 1.9\n")
    assert over.out.splitlines()[-1] == "no incident"


@pytest.mark.parametrize("records", [1, 5_000], ids=["when it is read", "while it is filled"])
def test_a_full_disk_is_said_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records: int) -> None:
    monkeypatch.setattr(history, "TemporaryFile", lambda prefix: open("/dev/full", "w+b"))  # noqa: SIM115
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join([event(START)] * records))
    with (
        pytest.raises(Unavailable, match=r"No space left on device.*let TMPDIR name another folder"),
        closing(of_files([("predictions", file)], first_ms=None, last_ms=None, told=lambda *_: None)) as found,
    ):
        list(found.came())


def test_told_to_end_it_leaves_nothing_behind(tmp_path: Path) -> None:
    """A job's time is over: SIGTERM ends it as Ctrl-C does."""
    said = "import time, tempfile; from stream.local.ending import ends_in_order; ends_in_order()\n"
    said += "with tempfile.TemporaryDirectory(): print('in', flush=True); time.sleep(60)"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", said], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(10) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
