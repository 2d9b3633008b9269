"""Every alert rule, in Prometheus' own words: when it fires, when it does not, and that one failed scrape changes neither."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import model_alerts, served_alerts, service_alerts, webhook_alerts
from tests.support.promtool import LOST, OF_ANYTHING, Case, alert_rules, fired, fired_beside

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus"
)
FIRES = service_alerts.FIRES | model_alerts.FIRES | served_alerts.FIRES | webhook_alerts.FIRES
QUIET = service_alerts.QUIET | model_alerts.QUIET | served_alerts.QUIET | webhook_alerts.QUIET
#: What is about scrapes that fail, or about nothing at all.
OF_SCRAPES = {"DriftlineWatchdog", "DriftlineNoWorker", "DriftlineWorkerGone", "DriftlineWebhookDown"}


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


def tried(alert: str) -> dict[str, Case]:
    """Every history of an alert, by a name: as it is, and with one failed scrape at its end or a moment before."""
    named = {f"{alert} fires {at}": case for at, case in enumerate(FIRES[alert])}
    named |= {f"{alert} quiet {at}": case for at, case in enumerate(QUIET.get(alert, []))}
    backs = {"fires": (0, 1), "quiet": (0, 2)}
    hurt = {
        f"{name} without {back}": case.without_scrape(back)
        for name, case in named.items()
        for back in backs[name.split()[1]]
        if alert not in OF_SCRAPES
    }
    return named | hurt


@pytest.fixture(scope="module")
def differing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What promtool says of all histories; those of an alert are side by side, as environments that it has to keep apart."""
    cases = {alert: tried(alert) for alert in FIRES if alert not in OF_ANYTHING}
    return fired_beside(cases, folder=tmp_path_factory.mktemp("promtool"))


@pytest.mark.parametrize("alert", sorted(FIRES.keys() - OF_ANYTHING))
def test_it_fires_or_does_not_and_one_failed_scrape_changes_neither(alert: str, differing: dict[str, str]) -> None:
    assert {name: said for name, said in differing.items() if name.startswith(f"{alert} ")} == {}


@pytest.mark.parametrize("alert", sorted(OF_ANYTHING))
def test_so_does_what_asks_for_any_series_at_all(alert: str, tmp_path: Path) -> None:
    assert fired(list(tried(alert).values()), alert, folder=tmp_path) == ""


def test_of_histories_side_by_side_the_one_that_does_not_fit_is_told(tmp_path: Path) -> None:
    alert = "DriftlineLagGrowing"
    [fires], quiet = FIRES[alert], QUIET[alert]
    cases = {"right": fires, "wrong": Case(fires.series), "still": quiet[0]}
    assert fired_beside({alert: cases}, folder=tmp_path).keys() == {"wrong"}


def test_a_history_that_does_not_fit_is_told(tmp_path: Path) -> None:
    found = fired([Case({"up": [1, LOST]})], "DriftlineWatchdog", folder=tmp_path)
    assert "ALERTS" in found
