"""Runbooks about who decides and who is told, followed word for word where nobody can be told: every command and query answers.

What a worker looks like that owns nothing is not made here: only that the page's commands name the one that does.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.command import driftline
from tests.support.observed import apply
from tests.support.process import free_port
from tests.support.prometheus import Prometheus
from tests.support.served import called, write_monitors
from tests.support.source import ROOT
from tests.support.worker import Deployment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus here: `make services` installs it"),
]
ADDRESS = re.compile(r"worker: http://(\S+)")


def told(book: str, kind: str) -> list[str]:
    """What a runbook's diagnosis has to be typed (``sh``) or asked (``promql``)."""
    text = (ROOT / "docs" / "runbooks" / f"{book}.md").read_text()
    return [line for body in re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S) for line in body.splitlines()]


def typed(deployment: Deployment, line: str) -> str:
    """What a command of a runbook prints, on this deployment; it succeeds."""
    program, *words = shlex.split(line)
    if program == "driftline":
        ended = driftline(*words, env=deployment.variables)
        assert (ended.code, ended.err) == (0, ""), (line, ended)
        return ended.out
    own = [word.replace("driftline:", deployment.names.key(""), 1) for word in words]
    command = ["redis-cli", "-u", deployment.redis_url, *own]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (program, done.returncode) == ("redis-cli", 0), (line, done.stdout, done.stderr)
    return done.stdout


def unreachable(folder: Path) -> Path:
    """The monitors of a served model, whose only receiver is an Alertmanager that nobody started."""
    file = write_monitors(folder)
    monitors = yaml.safe_load(file.read_text())
    monitors["receivers"] = {"prom": {"alertmanager": {"url": f"http://127.0.0.1:{free_port()}"}}}
    monitors["route"] = {"receiver": "prom", "open_wait": "0s"}
    file.write_text(yaml.safe_dump(monitors))
    return file


def test_a_receiver_that_takes_nothing_and_who_owns_the_incidents_are_found_by_their_runbooks(
    deployment: Deployment, tmp_path: Path
) -> None:
    apply(deployment, unreachable(tmp_path))
    with called(deployment) as ill:
        ill.set()
        worker = deployment.start_worker(flush_interval_s="0.1", evaluate_interval_s="0.1")
        worker.wait_until(lambda: ADDRESS.search(worker.log.read_text()) is not None, timeout_s=60)
        found = ADDRESS.search(worker.log.read_text())
        assert found
        prometheus = Prometheus(tmp_path, {"driftline": [found[1]]})
        try:
            _follow_receivers_failing(deployment, prometheus)
            _follow_no_owner(deployment, prometheus)
            assert "did not take a request" in worker.log.read_text()
        finally:
            prometheus.stop()


def _follow_receivers_failing(deployment: Deployment, prometheus: Prometheus) -> None:
    failing, delivered = told("DriftlineReceiversFailing", "promql")
    _wait_until_answered(deployment, prometheus, failing, value="1")
    prometheus.query(delivered)  # it is taken; an increase has only what failed twice
    listing, show = told("DriftlineReceiversFailing", "sh")
    incident = typed(deployment, listing).splitlines()[1].split()[0]
    open_there = r"^told prom \(alertmanager\): is to believe open P\d, believes (closed|unknown), not confirmed$"
    deployment.wait_until(
        lambda: re.search(open_there, typed(deployment, show.replace("INCIDENT", incident)), re.M) is not None
    )


def _follow_no_owner(deployment: Deployment, prometheus: Prometheus) -> None:
    owner, unowned = told("DriftlineNoIncidentOwner", "promql")
    _wait_until_answered(deployment, prometheus, owner, value="1")
    _wait_until_answered(deployment, prometheus, unowned, value="0")
    [look] = told("DriftlineNoIncidentOwner", "sh")
    assert re.search(rf"^owner\n\S+:{deployment.workers[0].pid}$", typed(deployment, look), re.M)


def _wait_until_answered(deployment: Deployment, prometheus: Prometheus, query: str, *, value: str) -> None:
    """Of one series; while a busy machine lets a scrape run out of time there is none."""
    deployment.wait_until(lambda: [one["value"][1] for one in prometheus.query(query)] == [value])
