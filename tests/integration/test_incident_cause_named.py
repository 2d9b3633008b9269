"""A cause is named where it stands out and nowhere else: `incident ls`, `incident show` and the console say the same."""

from __future__ import annotations

import re

from tests.support.command import driftline
from tests.support.console_incidents import OPEN_CARRIER, OPEN_WEATHER, fill_incidents
from tests.support.console_site import ConsoleSite


def test_terminal_and_console_name_the_same_causes(redis_url: str, environment_name: str) -> None:
    site = ConsoleSite(redis_url, environment_name)
    site.fill(fill_incidents)
    env = {"DRIFTLINE_REDIS": redis_url, "DRIFTLINE_ENVIRONMENT": environment_name, "COLUMNS": "300"}
    shown = {ident: driftline("incident", "show", ident, env=env).out for ident in (OPEN_WEATHER, OPEN_CARRIER)}
    listed = driftline("incident", "ls", env=env).out
    pages = {ident: site.get(f"/incidents/{ident}").text for ident in shown}

    assert "causes: source:weather-feed 86%, source:noaa-feed 9%, unknown 5%" in shown[OPEN_WEATHER]
    assert "causes: none stands out: source:schedule-db 45%, feature:flight-delay/carrier 45%" in shown[OPEN_CARRIER]
    assert re.findall(r"^(\w{8})\w* .*?(source:\S+|unclear) ", listed, re.M) == [
        (OPEN_WEATHER[:8], "source:weather-feed"), (OPEN_CARRIER[:8], "unclear"),
    ]  # fmt: skip
    assert "Likely cause source weather-feed 86 %" in pages[OPEN_WEATHER]
    assert "No cause stands out feature flight-delay / carrier 45 %" in pages[OPEN_CARRIER]
