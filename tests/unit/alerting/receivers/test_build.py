"""Receivers out of a configuration: addresses, secrets that are missing, endpoints that may not be used."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from alerting.policy import Clock
from alerting.receivers.build import Built, build
from alerting.receivers.endpoints import Endpoints, checked
from schemas.errors import ConfigError
from schemas.monitored import PagerDutyReceiver, ReceiverMonitor, SecretPlace, SlackReceiver

KEY = "0123456789abcdef0123456789abcdef"
LOOPBACK = Endpoints("http://127.0.0.1:1", "http://localhost:2/api/", "")


def pager(place: SecretPlace) -> ReceiverMonitor:
    return ReceiverMonitor(pagerduty=PagerDutyReceiver(routing_key=place))


def slack(place: SecretPlace, channel: str = "#ml-p0") -> ReceiverMonitor:
    return ReceiverMonitor(slack=SlackReceiver(token=place, channel=channel))


def built(receivers: dict[str, ReceiverMonitor], *, clock: Clock = "live", endpoints: Endpoints = LOOPBACK) -> Built:
    return build(receivers, environment="prod", endpoints=endpoints, clock=clock)


@pytest.fixture
def key(tmp_path: Path) -> SecretPlace:
    (tmp_path / "key").write_text(f"  {KEY}\n")
    return SecretPlace(file=str(tmp_path / "key"))


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> SecretPlace:
    monkeypatch.setenv("THE_TOKEN", "xoxb-1")
    return SecretPlace(env="THE_TOKEN")


def test_names_stand_for_addresses_and_the_console_for_none(key: SecretPlace, token: SecretPlace) -> None:
    both = ReceiverMonitor(pagerduty=pager(key).pagerduty, slack=slack(token).slack)
    found = built({"console": ReceiverMonitor(), "oncall": both, "team": slack(token), "quiet": slack(token, "#q")})
    assert found.names == {
        "console": (),
        "oncall": ("pagerduty:3eb1bd439947", "slack:#ml-p0"),
        "team": ("slack:#ml-p0",),
        "quiet": ("slack:#q",),
    }
    assert {address: one.kind for address, one in found.receivers.items()} == {
        "pagerduty:3eb1bd439947": "pagerduty", "slack:#ml-p0": "slack", "slack:#q": "slack",
    }  # fmt: skip
    assert found.problems == ()


def test_building_again_reads_no_certificates_again(token: SecretPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done every second, and reading them takes 20 ms of CPU."""
    built({"team": slack(token)})
    monkeypatch.setattr(ssl, "create_default_context", None)
    assert list(built({"team": slack(token), "quiet": slack(token, "#q")}).receivers) == ["slack:#q", "slack:#ml-p0"]


def test_a_rotated_key_is_another_address_at_the_next_build(key: SecretPlace) -> None:
    before = built({"oncall": pager(key)}).names
    Path(key.file or "").write_text("f" * 32)
    after = built({"oncall": pager(key)}).names
    assert before != after
    assert before == {"oncall": ("pagerduty:3eb1bd439947",)}


def test_a_missing_secret_names_the_receiver_the_key_and_the_way_out_and_the_others_are_built(
    key: SecretPlace, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    found = built(
        {
            "good": pager(key),
            "a": pager(SecretPlace(file="/nowhere/key")),
            "b": slack(SecretPlace(env="NO_SUCH_TOKEN")),
            "c": slack(SecretPlace(file=str(tmp_path / "empty")), "#c"),
            "d": pager(SecretPlace(file=str(tmp_path))),
        }
    )
    assert list(found.receivers) == ["pagerduty:3eb1bd439947"]
    assert [str(problem) for problem in found.problems] == [
        "configuration: receivers.a.pagerduty.routing_key: the file /nowhere/key does not exist: "
        "write the secret into it, or name another place in the monitors file",
        "configuration: receivers.b.slack.token: the variable NO_SUCH_TOKEN is not set: "
        "set it, or name another place in the monitors file",
        f"configuration: receivers.c.slack.token: the file {tmp_path / 'empty'} is empty: "
        "write the secret into it, or name another place in the monitors file",
        f"configuration: receivers.d.pagerduty.routing_key: the file {tmp_path} cannot be read (IsADirectoryError): "
        "write the secret into it, or name another place in the monitors file",
    ]


@pytest.mark.parametrize("wrong", ["0123456789abcdef", f"{KEY}0", "0123456789abcdef 123456789abcdef", "é" * 32])
def test_what_cannot_be_an_integration_key_is_refused_and_not_shown(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(wrong)
    [problem] = built({"oncall": pager(SecretPlace(file=str(tmp_path / "key")))}).problems
    assert problem.key == "receivers.oncall.pagerduty.routing_key"
    assert problem.message.startswith("must be 32 ")
    assert f"has {len(wrong)} characters" in problem.message
    assert wrong not in str(problem)


def test_a_token_of_two_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_TOKEN", "xoxb-1\nX-Header: 1")
    [problem] = built({"team": slack(SecretPlace(env="THE_TOKEN"))}).problems
    assert "one line" in problem.message
    assert "X-Header" not in problem.message


def test_a_replay_never_reaches_a_real_receiver(key: SecretPlace, token: SecretPlace) -> None:
    for receivers, setting in (
        ({"oncall": pager(key)}, "DRIFTLINE_PAGERDUTY_URL"),
        ({"team": slack(token)}, "DRIFTLINE_SLACK_URL"),
    ):
        with pytest.raises(ConfigError, match=f"{setting}: a replay never reaches a real receiver"):
            built(receivers, clock="event", endpoints=Endpoints())
        assert len(built(receivers, clock="event").receivers) == 1
        assert len(built(receivers, endpoints=Endpoints()).receivers) == 1
    assert built({"console": ReceiverMonitor()}, clock="event", endpoints=Endpoints()).receivers == {}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10:99", "[::1]:80", "localhost:1234", "LOCALHOST"])
def test_what_is_on_the_loopback(host: str) -> None:
    assert checked(f"http://{host}/api", clock="event", setting="X") == f"http://{host}/api"


@pytest.mark.parametrize(
    "url",
    [
        "https://events.pagerduty.com", "http://127.0.0.1.example.org", "http://localhost.example.org", "http://2130706433",
        "http://0.0.0.0", "http://10.0.0.1", "http://169.254.169.254", "http://127.0.0.1@example.org", "http://[::2]",
        "http://example.org\\@127.0.0.1", "http://127.0.0.1:99999", "file:///127.0.0.1", "http://", "127.0.0.1", "http://127.1",
        "http://127.0.0.1 .example.org",
    ],
)  # fmt: skip
def test_what_is_not(url: str) -> None:
    with pytest.raises(ConfigError, match="X: "):
        checked(url, clock="event", setting="X")


def test_what_leaves_the_machine_is_encrypted() -> None:
    with pytest.raises(ConfigError, match=r"X: events\.pagerduty\.com must be reached by https"):
        checked("http://events.pagerduty.com", clock="live", setting="X")
    assert checked("https://events.eu.pagerduty.com", clock="live", setting="X")


def test_only_the_one_warning_of_pdpyras_is_filtered() -> None:
    script = (
        "import warnings, alerting.receivers.pagerduty\n"
        "try: warnings.warn('another'); raise SystemExit(1)\n"
        "except UserWarning: pass"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
