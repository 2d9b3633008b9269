"""Every alert rule, in Prometheus' own words: when it fires, when it does not, and that one failed scrape changes neither."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import model_alerts, service_alerts
from tests.support.promtool import LOST, Case, alert_rules, fired

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus"
)
FIRES = service_alerts.FIRES | model_alerts.FIRES
QUIET = service_alerts.QUIET | model_alerts.QUIET
#: What is about scrapes that fail, or about nothing at all.
OF_SCRAPES = {"DriftlineWatchdog", "DriftlineNoWorker", "DriftlineWorkerGone"}


def test_every_alert_has_a_history_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    named = {rule["alert"] for rule in alert_rules()}
    assert set(FIRES) == named
    assert set(QUIET) == named - {"DriftlineWatchdog"}


def test_every_rule_of_a_name_that_several_have_fires_somewhere() -> None:
    for name in ("DriftlineErrorBudgetBurn", "DriftlineGpuXid"):
        own = [rule["labels"] for rule in alert_rules() if rule["alert"] == name]
        alone = [case.fires[0] for case in FIRES[name] if len(case.fires) == 1]
        assert [one for one in own if not any(one.items() >= _shared(labels, one) for labels in alone)] == []
        assert len(alone) >= len(own)


def _shared(labels: object, own: dict[str, str]) -> set[tuple[str, str]]:
    assert isinstance(labels, dict)
    return {(name, value) for name, value in labels.items() if name in own}


@pytest.mark.parametrize("alert", FIRES)
def test_it_fires_and_one_failed_scrape_does_not_end_it(alert: str, tmp_path: Path) -> None:
    cases = FIRES[alert]
    hurt = [case.without_scrape(back) for case in cases for back in (0, 1) if alert not in OF_SCRAPES]
    assert fired([*cases, *hurt], alert, folder=tmp_path) == ""


@pytest.mark.parametrize("alert", QUIET)
def test_it_does_not_fire_and_one_failed_scrape_does_not_begin_it(alert: str, tmp_path: Path) -> None:
    cases = QUIET[alert]
    hurt = [case.without_scrape(back) for case in cases for back in (0, 2) if alert not in OF_SCRAPES]
    assert fired([*cases, *hurt], alert, folder=tmp_path) == ""


def test_a_history_that_does_not_fit_is_told(tmp_path: Path) -> None:
    found = fired([Case({"up": [1, LOST]})], "DriftlineWatchdog", folder=tmp_path)
    assert "ALERTS" in found
