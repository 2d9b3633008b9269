"""Runbooks about who decides and who is told, followed word for word where nobody can be told: every command and query answers.

What a worker looks like that owns nothing is not made here: only that the page's commands name the one that does.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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
    own = [word.replace("driftline:", deployment.names.key(""), 1) for word in words]
    commands = {
        "driftline": [sys.executable, "-m", "stream.command.main", *words],
        "redis-cli": ["redis-cli", "-u", deployment.redis_url, *own],
    }
    done = subprocess.run(
        commands[program], env=deployment.variables | {"COLUMNS": "200", "PATH": "/usr/bin"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (line, done.stdout, done.stderr)
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
    worker = deployment.start_worker()
    worker.wait_until(lambda: ADDRESS.search(worker.log.read_text()) is not None, timeout_s=30)
    found = ADDRESS.search(worker.log.read_text())
    assert found
    prometheus = Prometheus(tmp_path, {"driftline": [found[1]]})
    try:
        with called(deployment) as ill:
            ill.set()
            deployment.wait_until(lambda: bool(prometheus.query("driftline_receivers_failing > 0")))
            _follow_no_owner(deployment, prometheus)
            _follow_receivers_failing(deployment, prometheus)
        assert "did not take a request" in worker.log.read_text()
    finally:
        prometheus.stop()


def _follow_receivers_failing(deployment: Deployment, prometheus: Prometheus) -> None:
    failing, delivered = told("DriftlineReceiversFailing", "promql")
    assert [one["value"][1] for one in prometheus.query(failing)] == ["1"]
    prometheus.query(delivered)  # it is taken; an increase has only what failed twice
    listing, show = told("DriftlineReceiversFailing", "sh")
    incident = typed(deployment, listing).splitlines()[1].split()[0]
    shown = typed(deployment, show.replace("INCIDENT", incident))
    assert re.search(
        r"^told prom \(alertmanager\): is to believe open P\d, believes \w+, not confirmed$", shown, re.M
    ), shown


def _follow_no_owner(deployment: Deployment, prometheus: Prometheus) -> None:
    owner, unowned = (prometheus.query(query) for query in told("DriftlineNoIncidentOwner", "promql"))
    assert ([one["value"][1] for one in owner], [one["value"][1] for one in unowned]) == (["1"], ["0"])
    [look] = told("DriftlineNoIncidentOwner", "sh")
    assert re.search(rf"^owner\n\S+:{deployment.workers[0].pid}$", typed(deployment, look), re.M)
